use super::*;

fn opened(sessions: &Sessions, now: Instant) -> Opened {
    let link = sessions.link(now);
    sessions.open(link.reveal(), now).unwrap()
}

#[test]
fn a_link_opens_one_session_and_only_once() {
    let (sessions, now) = (Sessions::default(), Instant::now());
    let link = sessions.link(now);
    assert!(sessions.open(link.reveal(), now).is_ok());
    let again = sessions.open(link.reveal(), now).unwrap_err();
    assert_eq!(again.code, Code::Unauthorised);
    assert!(sessions.open("", now).is_err());
}

#[test]
fn a_link_that_is_too_old_opens_nothing() {
    let (sessions, now) = (Sessions::default(), Instant::now());
    let link = sessions.link(now);
    assert!(sessions.open(link.reveal(), now + LINK_LASTS).is_err());
    let link = sessions.link(now);
    let soon = now + LINK_LASTS / 2;
    assert!(sessions.open(link.reveal(), soon).is_ok());
}

#[test]
fn of_too_many_links_the_oldest_is_void() {
    let (sessions, now) = (Sessions::default(), Instant::now());
    let links: Vec<Secret> = (0..=LINKS_MAX).map(|_| sessions.link(now)).collect();
    assert!(sessions.open(links[0].reveal(), now).is_err());
    assert!(sessions.open(links[1].reveal(), now).is_ok());
}

#[test]
fn neither_half_of_a_session_is_enough() {
    let (sessions, now) = (Sessions::default(), Instant::now());
    let (one, other) = (opened(&sessions, now), opened(&sessions, now));
    let (cookie, token) = (one.cookie.reveal(), one.token.reveal());
    assert!(sessions.check(cookie, token, now).is_ok());
    assert!(sessions.check(cookie, "", now).is_err());
    assert!(sessions.check("", token, now).is_err());
    assert!(sessions.check(cookie, other.token.reveal(), now).is_err());
    assert!(sessions.check(token, cookie, now).is_err());
}

#[test]
fn a_session_ends_by_time_and_by_wish() {
    let (sessions, now) = (Sessions::default(), Instant::now());
    let session = opened(&sessions, now);
    let (cookie, token) = (session.cookie.reveal(), session.token.reveal());
    let ends = sessions.check(cookie, token, now).unwrap();
    assert_eq!(ends, now + SESSION_LASTS);
    assert!(sessions.check(cookie, token, ends).is_err());
    let session = opened(&sessions, now);
    let (cookie, token) = (session.cookie.reveal(), session.token.reveal());
    sessions.end(cookie, now);
    assert!(sessions.check(cookie, token, now).is_err());
}

#[test]
fn of_too_many_sessions_the_one_unused_for_longest_ends() {
    let (sessions, begin) = (Sessions::default(), Instant::now());
    let at = |seconds: usize| begin + Duration::from_secs(seconds as u64);
    let all: Vec<Opened> = (0..SESSIONS_MAX)
        .map(|number| opened(&sessions, at(number)))
        .collect();
    let check = |number: usize, now| {
        let session: &Opened = &all[number];
        sessions.check(session.cookie.reveal(), session.token.reveal(), now)
    };
    assert!(check(0, at(SESSIONS_MAX)).is_ok());
    opened(&sessions, at(SESSIONS_MAX + 1));
    assert!(check(0, at(SESSIONS_MAX + 2)).is_ok());
    assert!(check(1, at(SESSIONS_MAX + 2)).is_err());
}

#[test]
fn a_ticket_is_good_once_for_its_name_and_its_session() {
    let (sessions, now) = (Sessions::default(), Instant::now());
    let (one, other) = (opened(&sessions, now), opened(&sessions, now));
    let ticket = sessions.ticket(one.cookie.reveal(), "main:a", now);
    let redeem = |session: &Opened, name: &str, now| {
        sessions.redeem(session.cookie.reveal(), ticket.reveal(), name, now)
    };
    assert!(redeem(&other, "main:a", now).is_err());
    assert!(redeem(&one, "main:b", now).is_err());
    assert!(redeem(&one, "main:a", now + TICKET_LASTS).is_err());
    let ticket = sessions.ticket(one.cookie.reveal(), "main:a", now);
    let redeem = || sessions.redeem(one.cookie.reveal(), ticket.reveal(), "main:a", now);
    assert!(redeem().is_ok());
    assert!(redeem().is_err());
}

#[test]
fn a_secret_is_not_printed_by_accident() {
    let secret = Secret::fresh::<16>();
    assert_eq!(secret.reveal().len(), 32);
    assert_eq!(format!("{secret:?}"), "Secret(..)");
}
