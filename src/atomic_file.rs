//! Atomic file writing, which all output uses: a file is written under a temporary name beside its target, then
//! renamed. No reader ever sees a partial file, and a failed write leaves the previous content intact.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes what `fill` writes; for content that need not be in memory as a whole.
///
/// # Errors
/// Returns an error if the folder cannot be written to, and the errors of `fill`.
pub fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    filled(path, fill)?.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Like [`write`], for what cannot be made again: returns only when the content and the name are on the disk, where they
/// survive a power failure.
///
/// # Errors
/// Returns the errors of [`write`].
pub fn write_durably(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let part = filled(path, fill)?;
    part.as_file().sync_all()?;
    part.persist(path).map_err(|error| error.error)?;
    // The name is part of its folder. Some file systems, and Windows, cannot do this for a folder; they write names in
    // order by themselves.
    #[cfg(unix)]
    let _ = fs::File::open(folder(path)).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Creates the temporary file for `path` with the content that `fill` writes.
fn filled(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<NamedTempFile> {
    let mut part = beside(path)?;
    fill_part(&mut part, fill)?;
    Ok(part)
}

/// Like [`write`], but the file gets its name only after `check` has read it under its temporary path and found
/// nothing wrong. `fail` converts file system errors.
///
/// # Errors
/// Returns the errors of [`write`] and of `check`.
pub fn write_checked<E>(
    path: &Path,
    fail: impl Fn(io::Error) -> E,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    check: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let mut part = beside(path).map_err(&fail)?;
    fill_part(&mut part, fill).map_err(&fail)?;
    // A disk may report only now that it is full.
    part.as_file().sync_all().map_err(&fail)?;
    check(part.path())?;
    part.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}

fn fill_part(part: &mut NamedTempFile, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(part.as_file_mut());
    fill(&mut out)?;
    out.flush()
}

/// Like [`write`], for a library that writes to a path: `fill` receives the temporary path. `fail` converts file
/// system errors.
///
/// # Errors
/// Returns the errors of [`write`].
pub fn write_to<E>(
    path: &Path,
    fail: impl Fn(io::Error) -> E,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let part = beside(path).map_err(&fail)?;
    let rights = part.as_file().metadata().map_err(&fail)?.permissions();
    fill(part.path())?;
    // A library may replace this file with its own, which only its owner may read.
    fs::set_permissions(part.path(), rights).map_err(&fail)?;
    part.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}

/// Creates a temporary file in the folder of `path` with the permissions of a normal new file; by default, only
/// the owner can read a temporary file.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".himix-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder(path))
}

/// The folder of a path.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.txt");
        let content = || fs::read_to_string(&path).expect("a file");
        write(&path, |out| out.write_all(b"one")).expect("written");
        let half = |out: &mut dyn Write| out.write_all(b"half").and_then(|()| Err(io::Error::other("full")));
        assert_eq!(write(&path, half).map_err(|error| error.to_string()), Err("full".into()));
        assert_eq!(content(), "one");
        let by_name = |text: &'static str| move |part: &Path| fs::write(part, text);
        write_to(&path, |error| error, by_name("two")).expect("written");
        assert_eq!(content(), "two");
        write_durably(&path, |out| out.write_all(b"three")).expect("written");
        assert_eq!(content(), "three");
        assert!(write_durably(&path, half).is_err());
        let refused = |part: &Path| by_name("half")(part).and(Err(io::Error::other("damaged")));
        assert!(write_to(&path, |error| error, refused).is_err());
        assert_eq!(content(), "three");
        let text = |content: &'static [u8]| move |out: &mut dyn Write| out.write_all(content);
        let other = |part: &Path| match fs::read_to_string(part)?.as_str() {
            "four" => Ok(()),
            _ => Err(io::Error::other("it differs")),
        };
        assert!(write_checked(&path, |error| error, text(b"five"), other).is_err());
        assert_eq!(content(), "three");
        write_checked(&path, |error| error, text(b"four"), other).expect("written");
        assert_eq!(content(), "four");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing else is left");
        assert!(write(&folder.path().join("none/a.txt"), |_| Ok(())).is_err());
    }

    #[test]
    #[cfg(unix)]
    fn a_file_is_as_readable_as_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let rights = |name: &str| fs::metadata(folder.path().join(name)).expect("a file").permissions().mode();
        fs::write(folder.path().join("usual"), "").expect("written");
        write(&folder.path().join("a"), |_| Ok(())).expect("written");
        // Some libraries replace the file at the given path in this way.
        let replaced = |part: &Path| {
            fs::remove_file(part)?;
            fs::write(part, "")?;
            fs::set_permissions(part, fs::Permissions::from_mode(0o600))
        };
        write_to(&folder.path().join("b"), |error| error, replaced).expect("written");
        assert_eq!([rights("a"), rights("b")], [rights("usual"); 2]);
    }
}
