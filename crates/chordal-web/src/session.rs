//! Sessions of the dashboard: a one-time link is exchanged for a cookie and a token, and only the two
//! together open anything.
//!
//! A browser sends cookies to every port of an address, and other programs of this machine may
//! listen there; what a page keeps in its storage stays with its port. So neither half is enough.
//! Everything is in memory, bounded in number and in time, and compared in constant time.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom as _, SystemRandom};
use subtle::ConstantTimeEq;

use crate::limits::{
    LINK_LASTS, LINKS_MAX, SESSION_LASTS, SESSIONS_MAX, TICKET_LASTS, TICKETS_MAX,
};
use crate::problem::{Code, Problem};

/// Random hexadecimal digits that open something.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

/// What a link was exchanged for.
#[derive(Debug)]
pub(crate) struct Opened {
    /// For the cookie, which no script can read.
    pub(crate) cookie: Secret,
    /// For the page, which no other origin can read.
    pub(crate) token: Secret,
    /// How long both are good for.
    pub(crate) lasts: Duration,
}

/// All links, sessions and tickets of a node.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    links: VecDeque<Link>,
    sessions: Vec<Session>,
    tickets: VecDeque<Ticket>,
}

#[derive(Debug)]
struct Link {
    secret: Secret,
    ends: Instant,
}

#[derive(Debug)]
struct Session {
    cookie: Secret,
    token: Secret,
    ends: Instant,
    used: Instant,
}

/// One download by the browser itself, which sends no headers of ours.
#[derive(Debug)]
struct Ticket {
    secret: Secret,
    cookie: Secret,
    name: String,
    ends: Instant,
}

impl Secret {
    fn fresh<const BYTES: usize>() -> Self {
        let mut bytes = [0; BYTES];
        let filled = SystemRandom::new().fill(&mut bytes);
        filled.expect("the system has randomness: nothing safe can run without it");
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let digits = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
        Self(digits.collect())
    }

    fn is(&self, given: &str) -> bool {
        bool::from(self.0.as_bytes().ct_eq(given.as_bytes()))
    }

    /// The digits, for whom they were made.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(..)")
    }
}

impl Sessions {
    /// A link that opens one session, soon. Of too many the oldest is void.
    pub(crate) fn link(&self, now: Instant) -> Secret {
        let secret = Secret::fresh::<16>();
        let mut kept = self.kept(now);
        if kept.links.len() >= LINKS_MAX {
            kept.links.pop_front();
        }
        kept.links.push_back(Link {
            secret: secret.clone(),
            ends: now + LINK_LASTS,
        });
        secret
    }

    /// Exchanges a link. It is void afterwards. Of too many sessions the one that was not used for
    /// the longest time ends.
    pub(crate) fn open(&self, link: &str, now: Instant) -> Result<Opened, Problem> {
        let mut kept = self.kept(now);
        let found = kept.links.iter().position(|known| known.secret.is(link));
        let Some(found) = found else {
            return Err(Problem::new(
                Code::Unauthorised,
                "this link was used before, or is older than a few minutes",
            )
            .advice("Run `chordal open` for a fresh one."));
        };
        kept.links.remove(found);
        if kept.sessions.len() >= SESSIONS_MAX {
            let used = |(_, session): &(usize, &Session)| session.used;
            let oldest = kept.sessions.iter().enumerate().min_by_key(used);
            if let Some((oldest, _)) = oldest {
                kept.sessions.swap_remove(oldest);
            }
        }
        let (cookie, token) = (Secret::fresh::<32>(), Secret::fresh::<32>());
        kept.sessions.push(Session {
            cookie: cookie.clone(),
            token: token.clone(),
            ends: now + SESSION_LASTS,
            used: now,
        });
        Ok(Opened {
            cookie,
            token,
            lasts: SESSION_LASTS,
        })
    }

    /// Until when the session of these two halves lasts.
    pub(crate) fn check(
        &self,
        cookie: &str,
        token: &str,
        now: Instant,
    ) -> Result<Instant, Problem> {
        let mut kept = self.kept(now);
        let mut sessions = kept.sessions.iter_mut();
        let session = sessions.find(|session| session.cookie.is(cookie) & session.token.is(token));
        let Some(session) = session else {
            return Err(no_session());
        };
        session.used = now;
        Ok(session.ends)
    }

    /// A ticket for one download of this name by the session of this cookie.
    pub(crate) fn ticket(&self, cookie: &str, name: &str, now: Instant) -> Secret {
        let secret = Secret::fresh::<16>();
        let mut kept = self.kept(now);
        if kept.tickets.len() >= TICKETS_MAX {
            kept.tickets.pop_front();
        }
        kept.tickets.push_back(Ticket {
            secret: secret.clone(),
            cookie: Secret(cookie.to_owned()),
            name: name.to_owned(),
            ends: now + TICKET_LASTS,
        });
        secret
    }

    /// Uses a ticket up, by whom it was made for.
    pub(crate) fn redeem(
        &self,
        cookie: &str,
        ticket: &str,
        name: &str,
        now: Instant,
    ) -> Result<Instant, Problem> {
        let mut kept = self.kept(now);
        let fits = |known: &Ticket| {
            known.secret.is(ticket) & known.cookie.is(cookie) && known.name == name
        };
        let found = kept.tickets.iter().position(fits);
        let session = kept.sessions.iter().find(|known| known.cookie.is(cookie));
        let (Some(found), Some(ends)) = (found, session.map(|session| session.ends)) else {
            return Err(Problem::new(
                Code::Unauthorised,
                "this download was begun before, or too long ago",
            )
            .advice("Begin it again from the dashboard."));
        };
        kept.tickets.remove(found);
        Ok(ends)
    }

    /// Ends the session of this cookie.
    pub(crate) fn end(&self, cookie: &str, now: Instant) {
        let mut kept = self.kept(now);
        kept.sessions.retain(|session| !session.cookie.is(cookie));
        kept.tickets.retain(|ticket| !ticket.cookie.is(cookie));
    }

    /// What has not ended yet.
    fn kept(&self, now: Instant) -> MutexGuard<'_, Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.links.retain(|link| link.ends > now);
        kept.sessions.retain(|session| session.ends > now);
        kept.tickets.retain(|ticket| ticket.ends > now);
        kept
    }
}

/// Nobody is known by what was shown.
pub(crate) fn no_session() -> Problem {
    Problem::new(
        Code::Unauthorised,
        "this page has no session with the node, or it is over",
    )
    .advice("Run `chordal open` on the node's machine for a link.")
}

#[cfg(test)]
mod tests;
