use std::net::{SocketAddr, TcpListener};

use super::{advertised, probe, reachable, with_port};
use crate::home::Home;
use crate::node::NodeConfig;
use crate::start::StartError;

#[test]
fn a_free_port_gets_a_number() {
    let listen = probe(([127, 0, 0, 1], 0).into()).unwrap();
    assert_ne!(listen.port(), 0);
}

#[test]
fn a_taken_port_and_a_foreign_address_are_told_apart() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    assert!(matches!(probe(addr), Err(StartError::PortInUse(at)) if at == addr));
    let foreign: SocketAddr = ([192, 0, 2, 1], 2000).into();
    assert!(matches!(probe(foreign), Err(StartError::NotOurs(at)) if at == foreign));
}

#[test]
fn others_are_told_an_address_that_can_be_reached() {
    let config = |listen: &str| NodeConfig::new(Home::at("home"), listen.parse().unwrap());
    assert_eq!(
        advertised(&config("127.0.0.1:2000")).to_string(),
        "127.0.0.1:2000"
    );
    let everywhere = advertised(&config("0.0.0.0:2000"));
    assert!(!everywhere.ip().is_unspecified());
    assert_eq!(everywhere.port(), 2000);
    let mut told = config("0.0.0.0:2000");
    told.advertise = Some("192.0.2.7:80".parse().unwrap());
    assert_eq!(advertised(&told).to_string(), "192.0.2.7:80");
}

#[test]
fn the_way_to_a_ring_on_this_machine_is_the_loopback() {
    let mut config = NodeConfig::new(Home::at("home"), "0.0.0.0:2000".parse().unwrap());
    config.join = vec!["127.0.0.1:2001".parse().unwrap()];
    assert_eq!(advertised(&config).to_string(), "127.0.0.1:2000");
}

#[test]
fn a_port_is_filled_in_only_where_none_was_chosen() {
    let listening = "127.0.0.1:7".parse().unwrap();
    let filled = with_port("10.0.0.1:0".parse().unwrap(), listening);
    assert_eq!(filled.to_string(), "10.0.0.1:7");
    let kept = with_port("10.0.0.1:9".parse().unwrap(), listening);
    assert_eq!(kept.to_string(), "10.0.0.1:9");
}

#[test]
fn newcomers_are_told_every_address_that_is_listened_on() {
    let advertised: SocketAddr = "192.0.2.1:2000".parse().unwrap();
    assert_eq!(reachable(advertised, advertised), [advertised]);
    let everywhere = reachable(advertised, "0.0.0.0:2000".parse().unwrap());
    assert_eq!(everywhere[0], advertised);
    assert!(
        everywhere
            .iter()
            .all(|addr| addr.port() == 2000 && !addr.ip().is_loopback())
    );
}

#[test]
fn nobody_is_told_an_address_of_one_cable() {
    let cable: SocketAddr = "[fe80::1]:2000".parse().unwrap();
    assert_eq!(reachable(cable, cable), []);
}
