use super::*;
use crate::receipt::example;

/// A receipt of this content in chunks of so many bytes; its signatures are of something else.
fn receipt(content: &[u8], chunk_bytes: u32) -> Receipt {
    let mut receipt = example::receipt();
    receipt.size = content.len() as u64;
    receipt.hash = *blake3::hash(content).as_bytes();
    receipt.chunk_bytes = chunk_bytes;
    receipt.chunks = match usize::try_from(chunk_bytes).unwrap() {
        0 => Vec::new(),
        bytes => content.chunks(bytes).map(ChunkId::of).collect(),
    };
    receipt
}

fn compared(content: &[u8], with: &Receipt) -> Option<String> {
    difference(content, with, &Progress::none()).unwrap()
}

#[test]
fn a_file_is_compared_to_the_last_byte_and_the_first_other_piece_is_named() {
    let content: Vec<u8> = (0..25).collect();
    for chunk_bytes in [0, 10, 25, 100] {
        let of = receipt(&content, chunk_bytes);
        assert_eq!(compared(&content, &of), None, "{chunk_bytes}");
        for at in [0, 9, 10, 24] {
            let mut other = content.clone();
            other[at] ^= 1;
            assert!(compared(&other, &of).is_some(), "{chunk_bytes} {at}");
        }
        let told = compared(&content[..24], &of).unwrap();
        assert!(told.contains("24 of 25 bytes") || chunk_bytes > 0, "{told}");
        let longer = [&content[..], &[0]].concat();
        assert!(compared(&longer, &of).unwrap().contains("longer"));
    }
    let mut other = content.clone();
    other[13] ^= 1;
    let told = compared(&other, &receipt(&content, 10)).unwrap();
    assert_eq!(told, "it differs between the bytes 10 and 19");
    assert_eq!(compared(&[], &receipt(&[], 0)), None);
}
