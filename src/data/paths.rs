//! Paths from one place to another, which stay valid if both are moved together.

use std::path::{Component, Path, PathBuf};

/// The path without links and `..`, as far as it exists.
pub fn canonical(path: &Path) -> PathBuf {
    let Ok(path) = std::path::absolute(path) else { return path.to_owned() };
    let known = path.ancestors().find_map(|parent| {
        let rest = path.strip_prefix(parent).ok()?;
        let parent = parent.canonicalize().ok()?;
        // Joined with nothing, a path would end in a separator, and a file has no such path.
        Some(if rest.as_os_str().is_empty() { parent } else { parent.join(rest) })
    });
    known.unwrap_or(path)
}

/// The relative path from one absolute path to another; `None` if they have no common prefix.
pub fn way(from: &Path, to: &Path) -> Option<PathBuf> {
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    if common == 0 {
        return None;
    }
    let up = from.components().skip(common).map(|_| Component::ParentDir);
    let way: PathBuf = up.chain(to.components().skip(common)).collect();
    Some(if way.as_os_str().is_empty() { PathBuf::from(".") } else { way })
}

/// The path with every `..` resolved. It must contain no links.
pub fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canonical_path_leads_to_the_same_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.png");
        std::fs::write(&file, "").expect("written");
        let found = canonical(&folder.path().join("none/../a.png"));
        assert!(!found.exists() && found.ends_with("none/../a.png"), "as far as it exists: {found:?}");
        assert!(canonical(&file).is_file());
        assert_eq!(canonical(&folder.path().join("b.png")).file_name(), Some("b.png".as_ref()));
    }

    #[test]
    fn a_way_leads_there_and_back() {
        for (from, to, expected) in [
            ("/a/runs/one", "/a/data/lungs", "../../data/lungs"),
            ("/a/data/run", "/a/data", ".."),
            ("/a", "/a/b", "b"),
            ("/a/b", "/a/b", "."),
        ] {
            let way = way(Path::new(from), Path::new(to)).expect("a way");
            assert_eq!(way, Path::new(expected), "{from} {to}");
            assert_eq!(plain(&Path::new(from).join(way)), Path::new(to));
        }
        assert_eq!(way(Path::new("a"), Path::new("b")), None);
    }
}
