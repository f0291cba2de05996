//! A folder of format 1, written once and for all: later programs must go on reading it.
