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
    let headed = |bytes: usize| [&LIST_HEAD[..], &vec![0; bytes]].concat();
    assert_eq!(ChunkList::ids_of_list(&[]), None);
    assert_eq!(ChunkList::ids_of_list(&[0; 64]), None);
    assert_eq!(ChunkList::ids_of_list(&headed(0)), None);
    assert_eq!(ChunkList::ids_of_list(&headed(33)), None);
    assert_eq!(
        ChunkList::ids_of_list(&headed((LIST_CHUNK_IDS + 1) * 32)),
        None
    );
    assert!(ChunkList::ids_of_list(&headed(32)).is_some());
}

#[test]
fn the_ids_of_unfinished_lists_are_open_and_no_others() {
    let mut builder = ListBuilder::new(1 << 20);
    let ids: Vec<ChunkId> = (0..=LIST_CHUNK_IDS)
        .map(|i| ChunkId::of(&i.to_be_bytes()))
        .collect();
    let mut lists = Vec::new();
    for &id in &ids {
        lists.extend(builder.push(id));
    }
    let mut open: Vec<ChunkId> = builder.open_ids().collect();
    open.sort_unstable();
    let mut expected = vec![ids[LIST_CHUNK_IDS], lists[0].id()];
    expected.sort_unstable();
    assert_eq!(open, expected);
}

#[test]
fn a_file_has_as_many_chunks_as_it_needs() {
    assert_eq!(chunk_count(0, 4), 0);
    assert_eq!(chunk_count(4, 4), 1);
    assert_eq!(chunk_count(5, 4), 2);
}
