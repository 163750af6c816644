//! Runs the program and checks its output.

use std::ffi::OsString;

use serde_json::Value;

/// The result of a run.
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

/// Runs `himix` with arguments of any kind of string or path.
macro_rules! himix {
    ($($argument:expr),* $(,)?) => {
        $crate::program::run(vec![$(std::ffi::OsString::from($argument)),*])
    };
}
pub(crate) use himix;

pub fn run(arguments: Vec<OsString>) -> Ran {
    run_with(&[], arguments)
}

/// Runs `himix` with these environment variables.
pub fn run_with(variables: &[(&str, &str)], arguments: Vec<OsString>) -> Ran {
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_himix"))
        .envs(variables.iter().copied())
        .args(&arguments)
        .env_remove("RUST_BACKTRACE")
        .output()
        .expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    Ran {
        status: output.status.code().expect("an exit status, not a signal"),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}

impl Ran {
    /// Asserts that the run succeeded.
    pub fn done(self) -> Self {
        assert_eq!(self.status, 0, "{}", self.err);
        self
    }

    /// Returns its output, which must be JSON and nothing else.
    pub fn json(self) -> Value {
        let ran = self.done();
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out))
    }

    /// Asserts that it ended with `status` and one line, after notes if there are any, that contains all of `parts`;
    /// stdout may only have a verdict.
    pub fn failed(self, status: i32, parts: &[&str]) -> Self {
        let (notes, line) = self.err.trim_end().rsplit_once('\n').unwrap_or(("", self.err.trim_end()));
        println!("{line}");
        assert_eq!(self.status, status, "{line}");
        assert!(line.starts_with("himix: ") && !line.starts_with("himix: note: "), "not one line: {line:?}");
        assert!(notes.lines().all(|note| note.starts_with("himix: note: ")), "{notes}");
        assert!(!line.contains("panick") && !line.contains("RUST_BACKTRACE"), "{line}");
        assert!(line.contains("; "), "it does not say what to do: {line}");
        for part in parts {
            assert!(line.contains(part), "{part:?} is not in {line:?}");
        }
        self
    }

    /// Asserts that the input was refused, naming all of `parts`.
    pub fn refused(self, parts: &[&str]) {
        let ran = self.failed(2, parts);
        assert!(ran.out.is_empty(), "{}", ran.out);
    }
}
