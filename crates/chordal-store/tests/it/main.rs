//! What the store promises, through its public surface.

mod world;

mod keeping;
