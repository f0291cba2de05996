//! Places of chunks as text: `0-5,7`.

/// Ascending places, those that follow each other as one range.
pub(super) fn text(places: &[u32]) -> String {
    let ranges = places.chunk_by(|one, next| one.checked_add(1) == Some(*next));
    let range = |range: &[u32]| match range {
        [one] => one.to_string(),
        [first, .., last] => format!("{first}-{last}"),
        [] => String::new(),
    };
    ranges.map(range).collect::<Vec<_>>().join(",")
}

/// Reads at most so many places below `end`; nothing unless that is what [`text`] makes of them.
pub(super) fn read(text: &str, end: usize, most: usize) -> Option<Vec<u32>> {
    let mut places: Vec<u32> = Vec::new();
    if text.is_empty() {
        return Some(places);
    }
    for range in text.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        let ascends = places.last().is_none_or(|before| *before < first);
        if first > last || !ascends || usize::try_from(last).ok()? >= end {
            return None;
        }
        let more = usize::try_from(last - first).ok()?;
        if places.len().saturating_add(more) >= most {
            return None;
        }
        places.extend(first..=last);
    }
    (self::text(&places) == text).then_some(places)
}
