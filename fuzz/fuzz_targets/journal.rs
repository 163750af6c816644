//! The journal of an annotation. The first byte chooses the file itself or the records of one, which line breaks divide, with their
//! checksums: no fuzzer finds those. What is read is written and read again.
#![no_main]

use himix_fuzz::annotate::journal::{ImageIdentity, Record, Seal, Tail, encode_record, encode_start, encode_to, file_content, header, replay};
use himix_fuzz::{LIMIT, bounded, watched};
use libfuzzer_sys::fuzz_target;

const SHAPE: [usize; 3] = [13, 7, 3];

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else { return };
    watched(|| match kind % 3 {
        0 => check(rest),
        1 => check(&framed(rest, true)),
        _ => check(&framed(rest, false)),
    });
});

/// A journal with these records, after the header that it should have or without it.
fn framed(lines: &[u8], has_header: bool) -> Vec<u8> {
    let (mut bytes, mut seal) = (Vec::new(), Seal::default());
    encode_start(&mut bytes);
    if has_header {
        let header = ImageIdentity::of_sample("x", SHAPE).header(None);
        seal = encode_to(&mut bytes, seal, &Record::Image(header)).expect("a header");
    }
    for line in lines.split(|byte| *byte == b'\n') {
        seal = encode_record(&mut bytes, seal, line).expect("a short record");
    }
    bytes
}

fn check(bytes: &[u8]) {
    let _ = bounded(|| header(bytes));
    let Ok(read) = bounded(|| replay(bytes, SHAPE, LIMIT)) else { return };
    assert!(read.end <= bytes.len());
    let valid = replay(&bytes[..read.end], SHAPE, LIMIT).expect("the valid part is valid");
    assert!(valid.tail == Tail::None && valid.seal == read.seal && valid.annotation == read.annotation);
    let (short, _) = file_content(&read.header, &read.annotation, false).expect("it can be written");
    let again = replay(&short, SHAPE, LIMIT).expect("it can be read again");
    assert!(again.tail == Tail::None && again.annotation.labels().eq(read.annotation.labels()));
    for (id, _) in read.annotation.labels() {
        assert!(again.annotation.slices(id).eq(read.annotation.slices(id)));
        assert!(read.annotation.slices(id).all(|slice| again.annotation.mask(id, slice) == read.annotation.mask(id, slice)));
    }
}
