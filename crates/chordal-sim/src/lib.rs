//! Many nodes on virtual time: the simulator.
