//! What a token is worth in its session. The handshake, the REST API and the
//! function outside of the server ask here.

use crate::identity::keys::Keyring;
use crate::identity::token::Claims;
use crate::poker::ids::{Millis, SessionRef};
use crate::poker::refusal::Refusal;
use crate::poker::seat::Seat;
use crate::poker::session::{Session, Status};

/// The seat that a token opens.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'s> {
    pub seat: &'s Seat,
    /// The earlier of the token's end and the session's.
    pub until: Millis,
}

impl Keyring {
    /// What a token claims, if it is ours and still valid. Whatever is wrong
    /// with it, its holder hears one thing.
    pub fn identify(&self, token: &str, now: Millis) -> Result<Claims, Refusal> {
        self.verify_token(token, now).map_err(|_| Refusal::InvalidPlayerToken)
    }
}

impl Claims {
    /// Whether the token is for the session that is asked for, as far as can be
    /// told without it: of a code the session itself has to say whether it is
    /// its own.
    pub fn may_be_for(&self, asked: SessionRef) -> Result<(), Refusal> {
        match asked {
            SessionRef::Id(id) if id != self.session => Err(Refusal::InvalidPlayerToken),
            SessionRef::Id(_) | SessionRef::Code(_) => Ok(()),
        }
    }

    /// Whether the token opens a seat of an open session; `session` is the one
    /// that the token names, `asked` how its holder calls it. What is due in it
    /// has happened (`poker::play::catch_up`).
    pub fn standing<'s>(
        &self,
        asked: SessionRef,
        session: &'s Session,
    ) -> Result<Standing<'s>, Refusal> {
        self.may_be_for(asked)?;
        let is_its_code = matches!(asked, SessionRef::Code(code) if code == session.code);
        let is_its_id = matches!(asked, SessionRef::Id(id) if id == session.id);
        if self.session != session.id || !(is_its_code || is_its_id) {
            return Err(Refusal::InvalidPlayerToken);
        }
        let seat = session.seat_of_token(self.player, self.generation)?;
        match session.status {
            Status::Ended { .. } => Err(Refusal::SessionEnded),
            Status::Expired { .. } => Err(Refusal::SessionExpired),
            Status::Open => Ok(Standing { seat, until: session.expires_at.min(self.expires) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poker::deck::Deck;
    use crate::poker::ids::{JoinCode, PlayerId, SessionId};
    use crate::poker::play::catch_up;
    use crate::poker::policy::Policy;
    use crate::poker::session::Opening;
    use crate::poker::settings::Settings;

    const NOW: Millis = Millis(1_700_000_000_000);

    fn session() -> Session {
        let opening = Opening {
            id: SessionId::from_random([1; 10]),
            code: JoinCode::from_random([2; 5]),
            policy: Policy::default(),
            settings: Settings::new("x".parse().expect("a name"), Deck::default()),
            password: None,
            host: PlayerId::from_random([3; 16]),
            host_name: "Hanna".parse().expect("a name"),
            host_avatar: Default::default(),
        };
        Session::open(&opening, NOW)
    }

    fn claims(session: &Session) -> Claims {
        Claims {
            session: session.id,
            player: session.host,
            generation: 0,
            issued: NOW,
            expires: NOW.add_ms(1_000),
        }
    }

    #[test]
    fn a_token_opens_its_seat_of_its_session() {
        let session = session();
        let claims = claims(&session);
        for asked in [SessionRef::Id(session.id), SessionRef::Code(session.code)] {
            let standing = claims.standing(asked, &session).expect("a seat");
            assert_eq!((standing.seat.id, standing.until), (session.host, NOW.add_ms(1_000)));
        }
    }

    #[test]
    fn of_another_session_it_is_no_token() {
        let session = session();
        let claims = claims(&session);
        let elsewhere = SessionRef::Id(SessionId::from_random([9; 10]));
        assert_eq!(claims.may_be_for(elsewhere), Err(Refusal::InvalidPlayerToken));
        for asked in [elsewhere, SessionRef::Code(JoinCode::from_random([9; 5]))] {
            let standing = claims.standing(asked, &session).map(|standing| standing.until);
            assert_eq!(standing, Err(Refusal::InvalidPlayerToken));
        }
        let other = Claims { session: SessionId::from_random([9; 10]), ..claims };
        let standing = other.standing(SessionRef::Code(session.code), &session);
        assert_eq!(standing.map(|standing| standing.until), Err(Refusal::InvalidPlayerToken));
    }

    #[test]
    fn what_became_of_the_seat_and_the_session_counts() {
        let mut session = session();
        let claims = claims(&session);
        let asked = SessionRef::Id(session.id);
        let refusal = |claims: &Claims, session: &Session| {
            claims.standing(asked, session).map(|standing| standing.until).err()
        };
        let old = Claims { generation: 1, ..claims };
        assert_eq!(refusal(&old, &session), Some(Refusal::InvalidPlayerToken));
        assert!(!catch_up(&mut session, NOW.add_ms(Policy::default().session_ttl_ms)).is_empty());
        assert_eq!(refusal(&claims, &session), Some(Refusal::SessionExpired));
        session.seats.remove(&claims.player);
        assert_eq!(refusal(&claims, &session), Some(Refusal::InvalidPlayerToken));
    }
}
