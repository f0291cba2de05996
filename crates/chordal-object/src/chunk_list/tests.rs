use std::collections::BTreeMap;

use super::*;

fn build(count: usize) -> (ChunkList, BTreeMap<ChunkId, Chunk>, Vec<ChunkId>) {
    let ids: Vec<ChunkId> = (0..count).map(|i| ChunkId::of(&i.to_be_bytes())).collect();
    let mut builder = ListBuilder::new(1 << 20);
    let mut stored = BTreeMap::new();
    for &id in &ids {
        stored.extend(builder.push(id).into_iter().map(|list| (list.id(), list)));
    }
    let (list, rest) = builder.finish();
    stored.extend(rest.into_iter().map(|list| (list.id(), list)));
    (list, stored, ids)
}

fn flatten(ids: &[ChunkId], depth: u32, stored: &BTreeMap<ChunkId, Chunk>) -> Vec<ChunkId> {
    if depth == 0 {
        return ids.to_vec();
    }
    ids.iter()
        .flat_map(|id| {
            let below = ChunkList::ids_of_list(stored[id].bytes()).unwrap();
            flatten(&below, depth - 1, stored)
        })
        .collect()
}

#[test]
fn a_list_of_any_length_reads_back_in_order() {
    for count in [
        0,
        1,
        INLINE_IDS_MAX,
        INLINE_IDS_MAX + 1,
        LIST_CHUNK_IDS,
        LIST_CHUNK_IDS + 1,
        3 * LIST_CHUNK_IDS - 1,
    ] {
        let (list, stored, ids) = build(count);
        assert!(list.ids.len() <= INLINE_IDS_MAX);
        assert_eq!(flatten(&list.ids, list.depth, &stored), ids, "{count} ids");
    }
}

#[test]
fn what_is_not_a_list_is_refused() {
    assert_eq!(ChunkList::ids_of_list(&[]), None);
    assert_eq!(ChunkList::ids_of_list(&[0; 33]), None);
    assert_eq!(
        ChunkList::ids_of_list(&vec![0; (LIST_CHUNK_IDS + 1) * 32]),
        None
    );
}

#[test]
fn a_file_has_as_many_chunks_as_it_needs() {
    assert_eq!(chunk_count(0, 4), 0);
    assert_eq!(chunk_count(4, 4), 1);
    assert_eq!(chunk_count(5, 4), 2);
}
