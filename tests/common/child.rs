//! A test that runs in a process of its own, because what it tests belongs to the whole process.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

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

    /// Files cannot grow, as on a full disk.
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
            shell.args(["-c", "ulimit -f 0; trap '' XFSZ; exec \"$0\" \"$@\""]).arg(this);
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
