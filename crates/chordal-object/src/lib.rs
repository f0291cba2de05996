//! What a stored thing is in Chordal: keys, chunks, records, versions, and their bytes.
