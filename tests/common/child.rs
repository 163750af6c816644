//! A test that runs in a process of its own, because what it tests belongs to the whole process.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A process that runs one ignored test of this test program.
pub struct Child {
    arguments: Vec<String>,
    environment: Vec<(String, PathBuf)>,
    has_disk_space: bool,
}

/// A process that was started.
pub struct Started(std::process::Child);

impl Child {
    /// The ignored test of this name.
    pub fn of_test(name: &str) -> Self {
        let arguments = ["--ignored", "--exact", "--nocapture", name].map(str::to_owned).to_vec();
        Self { arguments, environment: Vec::new(), has_disk_space: true }
    }

    /// The ignored test of this name, trying out few kernels: on a software adapter nearly all of the time would go
    /// into that.
    pub fn with_little_tuning(name: &str) -> Self {
        Self::of_test(name).env("CUBECL_AUTOTUNE_LEVEL", "minimal")
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.to_owned(), PathBuf::from(value.as_ref())));
        self
    }

    /// Files cannot grow, as on a full disk, until the process lifts the limit.
    pub fn without_disk_space(mut self) -> Self {
        self.has_disk_space = false;
        self
    }

    /// Starts the process.
    pub fn start(&self) -> Started {
        let this = std::env::current_exe().expect("the test program");
        let mut command = if self.has_disk_space {
            Command::new(this)
        } else {
            let mut shell = Command::new("sh");
            shell.args(["-c", "ulimit -S -f 0; trap '' XFSZ; exec \"$0\" \"$@\""]).arg(this);
            shell
        };
        command.args(&self.arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Started(command.spawn().expect("the process starts"))
    }

    /// Runs the process and returns what it printed.
    pub fn run(&self) -> String {
        self.start().finish()
    }
}

impl Started {
    /// Waits for the first line that begins with `mark`, and `after` that kills the process. Returns what it printed.
    ///
    /// # Panics
    /// The process printed no such line.
    pub fn killed(mut self, mark: &str, after: Duration) -> String {
        let out = self.0.stdout.take().expect("it is piped");
        let (send, lines) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            // A line that is cut off is not one that was printed.
            let mut out = BufReader::new(out);
            let mut line = String::new();
            while out.read_line(&mut line).is_ok_and(|length| length > 0) && line.ends_with('\n') {
                let _ = send.send(std::mem::take(&mut line));
            }
        });
        let mut text = String::new();
        while !text.lines().any(|line| line.contains(mark)) {
            let line = lines.recv_timeout(Duration::from_secs(60));
            text.push_str(&line.unwrap_or_else(|_| panic!("it did not print {mark}:\n{text}")));
        }
        std::thread::sleep(after);
        self.0.kill().expect("it is running");
        self.0.wait().expect("it ends");
        reader.join().expect("it reads to the end");
        text.extend(lines);
        text
    }

    /// Waits for the end of the process and returns what it printed.
    ///
    /// # Panics
    /// The process failed or ran no test.
    pub fn finish(self) -> String {
        let output = self.0.wait_with_output().expect("the process ends");
        let [text, errors] =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
        assert!(text.contains("1 passed"), "the test was not found:\n{text}");
        text
    }
}
