//! Where the results of kernel tuning are stored.
//!
//! For every operation and shape of its tensors, burn times several kernels on a GPU and takes the fastest. That
//! can take minutes on a new card. The results are stored in the user's cache folder, in one database for each adapter
//! and version of its driver, so that a card is tuned once. By default burn would choose the place by the working
//! directory.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use burn::tensor::wgpu::wgpu::AdapterInfo;
use cubecl_environment::config::RuntimeConfig;
use cubecl_environment::environment;
use cubecl_environment::persistence::{Access, Database};
use cubecl_runtime::config::CubeClRuntimeConfig;

use super::{Adapter, effort};

/// The first bytes of every database of SQLite's file format, see <https://www.sqlite.org/fileformat.html>.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The ending of a database, and the one that a damaged database receives.
const DATABASE: &str = "db";
const DAMAGED: &str = "damaged";

/// The stored tuning results of one adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The file of the results.
    pub file: PathBuf,
    /// The number of tuned operations and shapes.
    pub entries: usize,
}

/// Returns the folder of all stores: `gpu` in the user's cache folder for `himix`; `None` if the user has none.
pub fn folder() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "himix").map(|folders| folders.cache_dir().join("gpu"))
}

/// Returns the name of an adapter's store. It names the adapter and depends on the graphics API and the driver's
/// version too, because the fastest kernel does.
pub(super) fn name(info: &AdapterInfo) -> String {
    let whole = format!(
        "{}\n{:?}\n{}\n{}\n{:x}:{:x}",
        info.name, info.backend, info.driver, info.driver_info, info.vendor, info.device
    );
    let hash = blake3::hash(whole.as_bytes()).to_hex();
    let words = info.name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let plain: String = words.collect::<Vec<_>>().join("-").chars().take(40).collect();
    format!("{plain}-{}.{DATABASE}", &hash[..12])
}

/// Makes burn read and store tuning results for `adapter` in its own database; call this before a device is opened. A
/// database that cannot be read is renamed. Returns a notice for the user if results cannot be stored or the effort is
/// none.
pub(super) fn select(adapter: &Adapter) -> Option<String> {
    let folder = folder();
    let (effort, wrong) = effort::chosen();
    let mut config = CubeClRuntimeConfig::default();
    effort.apply(&mut config.autotune);
    let mut config = config.override_from_env();
    config.autotune.disable_cache |= folder.is_none();
    // burn would read a file of the working directory here, and choose the place of the results by it. Its choice has
    // to come first, because it would replace ours.
    CubeClRuntimeConfig::try_set(config);
    let Some(file) = folder.map(|folder| folder.join(effort.store(&adapter.store))) else { return wrong };
    let notice = wrong.into_iter().chain(prepare(&file).err()).reduce(|all, next| all + " " + &next);
    // If the folder cannot be written to, burn keeps the results in memory. It drops them when a store is selected, even
    // if it is the same.
    if environment::path() != file {
        environment::load(file);
    }
    notice
}

/// Creates the folder of a store and sets a damaged store aside.
fn prepare(file: &Path) -> Result<(), String> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| {
        let folder = folder.display();
        format!("{folder}: the results of GPU tuning cannot be stored ({error}), so every start is as slow as the first")
    })?;
    if is_damaged(file) {
        set_aside(file).map_err(|error| {
            format!("{}: the file is damaged and cannot be renamed ({error}); delete it", file.display())
        })?;
        return Err(format!("{}: the stored GPU tuning was damaged; it is made anew", file.display()));
    }
    Ok(())
}

/// Returns whether a file exists that is not a database of tuning results. One that another process is using is not
/// damaged.
fn is_damaged(file: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    let Ok(mut open) = fs::File::open(file) else { return false };
    // A new database may be empty.
    let is_empty = open.metadata().is_ok_and(|data| data.len() == 0);
    !is_empty && (open.read_exact(&mut start).is_err() || start != *MAGIC)
}

/// Renames a database and the files beside it.
fn set_aside(file: &Path) -> std::io::Result<()> {
    for path in companions(file) {
        // Results of a crash may lie beside a database or not.
        let _ = fs::remove_file(path);
    }
    fs::rename(file, file.with_extension(DAMAGED))
}

/// Returns the files that a database has beside it while it is in use, or after a crash.
fn companions(file: &Path) -> [PathBuf; 4] {
    ["-wal", "-shm", "-tshm", "-journal"].map(|ending| {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    })
}

/// Returns what is stored for an adapter and the effort of this process; `None` if nothing is.
pub fn stored(adapter: &Adapter) -> Option<Stored> {
    let file = folder()?.join(effort::chosen().0.store(&adapter.store));
    if !file.is_file() || is_damaged(&file) {
        return None;
    }
    let database = Database::open_at(&file, Access::ReadOnly).ok()?;
    let entries = database.summary().iter().map(|namespace| namespace.entries as usize).sum();
    Some(Stored { file, entries })
}

/// Deletes the stored results of all adapters, and returns the number of files. What a device of this process has
/// tuned remains in memory until the program ends.
///
/// # Errors
/// Returns an error that names the file which cannot be deleted.
pub fn clear() -> Result<usize, String> {
    let Some(folder) = folder() else { return Ok(0) };
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(0) };
    let mut count = 0;
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
        fs::remove_file(&path).map_err(|error| {
            format!(
                "{}: the stored GPU tuning cannot be deleted ({error}); close other windows of himix and try again",
                path.display()
            )
        })?;
        count += usize::from(path.extension().is_some_and(|ending| ending == DATABASE));
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_no_database_is_set_aside() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("gpu/card.db");
        assert_eq!(prepare(&file), Ok(()), "there is none yet");
        for content in [b"no database at all, but long enough".as_slice(), b"SQLite".as_slice()] {
            fs::write(&file, content).expect("written");
            let notice = prepare(&file).expect_err("it is damaged");
            assert!(notice.contains("card.db") && notice.contains("made anew"), "{notice}");
            assert!(!file.exists());
            assert_eq!(fs::read(file.with_extension("damaged")).expect("set aside"), content);
            assert_eq!(prepare(&file), Ok(()), "it is gone");
        }
        fs::write(&file, [MAGIC.as_slice(), &[0; 84]].concat()).expect("written");
        assert!(!is_damaged(&file));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("gpu"), "a file").expect("written");
        let notice = prepare(&folder.path().join("gpu/card.db")).expect_err("no folder");
        assert!(notice.contains("cannot be stored"), "{notice}");
    }
}
