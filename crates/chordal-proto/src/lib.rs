//! Every decision Chordal takes: the ring, placement, quorums, repair, and the messages.
