//! Who calls: the player token in `Authorization: Bearer …` (RFC 6750, §2.1).

use http::header::{AUTHORIZATION, HeaderMap};

use crate::http::call::{Api, Call};
use crate::http::problem::Problem;
use crate::poker::ids::SessionRef;
use crate::poker::refusal::Refusal;
use crate::table::Authorised;

/// The member of the path's session whose token the call carries.
///
/// The session is looked up by what the token says, never by what the path
/// says: whoever holds no token of a session gets one answer, and at the same
/// cost, whether that session exists or not.
pub(super) async fn member(api: &Api, call: &Call) -> Result<Authorised, Problem> {
    let token = token(&call.headers)?;
    let claims = api.table.identify(token)?;
    let asked = call.session().map_err(|_| Refusal::InvalidPlayerToken)?;
    if matches!(asked, SessionRef::Id(id) if id != claims.session) {
        return Err(Refusal::InvalidPlayerToken.into());
    }
    let own = SessionRef::Id(claims.session);
    let authorised = api.table.authorise(token, own).await?;
    if let SessionRef::Code(code) = asked
        && api.table.read(own, |session, _| session.code).await? != code
    {
        return Err(Refusal::InvalidPlayerToken.into());
    }
    Ok(authorised)
}

pub(super) fn token(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Problem::token_missing());
    };
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .ok_or_else(Problem::token_missing)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim())
    } else {
        Err(Problem::token_missing())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_one_bearer_token_and_nothing_else() {
        let read = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, http::HeaderValue::from_static(value));
            }
            token(&headers).map(str::to_owned).ok()
        };
        assert_eq!(read(&["Bearer cr1.a.b.c"]).as_deref(), Some("cr1.a.b.c"));
        assert_eq!(read(&["bearer  cr1.a.b.c"]).as_deref(), Some("cr1.a.b.c"));
        for bad in [
            [].as_slice(),
            &["cr1.a.b.c"],
            &["Basic cr1.a.b.c"],
            &["Bearer"],
            &["Bearer a", "Bearer b"],
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
