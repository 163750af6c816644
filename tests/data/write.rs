//! Writing files: they can be read, appear complete, and leave no temporary files.

use std::fs;
use std::io;

use himix::data::{Pixels, image::load, write};

use super::fixtures::folder;

#[test]
fn pictures_come_back_as_they_were() {
    let folder = folder();
    let path = folder.path().join("out.png");
    write::png8(&path, 3, 2, &[0, 1, 2, 253, 254, 255]).expect("written");
    let read = load(&path).expect("read");
    assert_eq!((read.width, read.height), (3, 2));
    assert_eq!(read.pixels, Pixels::U8(vec![0, 1, 2, 253, 254, 255]));
    // An existing file is replaced.
    write::png16(&path, 2, 1, &[1, 65_534]).expect("written");
    assert_eq!(load(&path).expect("read").pixels, Pixels::U16(vec![1, 65_534]));
    write::png_rgb(&path, 1, 2, &[1, 2, 3, 4, 5, 6]).expect("written");
    assert_eq!(load(&path).expect("read").pixels, Pixels::U8(vec![1, 2, 3, 4, 5, 6]));
    write::bytes(&path, b"{}").expect("written");
    assert_eq!(fs::read(&path).expect("read"), b"{}");
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1, "nothing is left beside the file");
}

#[cfg(unix)]
#[test]
fn others_may_read_what_was_written() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
    write::bytes(&ours, b"x").expect("written");
    fs::write(&plain, b"x").expect("written");
    let mode = |path| fs::metadata(path).expect("there").permissions().mode();
    assert_eq!(mode(&ours), mode(&plain));
}

#[test]
fn a_failed_write_names_the_file_and_keeps_the_old_one() {
    let folder = folder();
    let path = folder.path().join("out.png");
    write::bytes(&path, b"old").expect("written");
    let wrong = write::png8(&path, 3, 3, &[0; 8]).expect_err("8 values are not 9");
    assert!(wrong.to_string().contains("out.png"), "{wrong}");
    assert!(write::png8(&path, usize::MAX, 1, &[]).is_err());
    assert!(write::png8(&path, 0, 0, &[]).is_err());
    let broken = write::file(&path, |out| {
        out.write_all(b"half")?;
        Err(io::Error::other("disk full"))
    });
    assert!(broken.expect_err("failed").to_string().contains("disk full"));
    assert_eq!(fs::read(&path).expect("still there"), b"old");
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1, "nothing is left beside the file");

    let nowhere = write::bytes(&folder.path().join("no/such/x.png"), b"x").expect_err("no folder");
    assert!(nowhere.to_string().contains("x.png") && !nowhere.to_string().contains('\n'), "{nowhere}");
    assert!(write::bytes(folder.path(), b"x").is_err(), "a folder is no target");
}
