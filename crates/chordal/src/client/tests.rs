use super::*;

#[test]
fn every_byte_of_a_name_that_could_mean_something_is_encoded() {
    let mut uri = String::new();
    encode("a-b._~/../ä+&=?#%\n ", &mut uri);
    assert_eq!(uri, "a-b._~%2F..%2F%C3%A4%2B%26%3D%3F%23%25%0A%20");
}

#[test]
fn a_node_that_listens_everywhere_is_asked_on_loopback() {
    let addr = |text: &str| text.parse::<SocketAddr>().unwrap();
    assert_eq!(reachable(addr("0.0.0.0:7")), addr("127.0.0.1:7"));
    assert_eq!(reachable(addr("[::]:7")), addr("[::1]:7"));
    assert_eq!(reachable(addr("10.1.2.3:7")), addr("10.1.2.3:7"));
}
