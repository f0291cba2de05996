//! Query strings, read strictly.
//!
//! Names travel as query parameters, so that no byte of them is ever part of a path. Bytes that
//! are not UTF-8 are refused instead of replaced: a name must never silently become another one.

use crate::problem::{Code, Problem};

/// The parameters of a request, decoded.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=1&b=2`; `+` is a space and `%2B` a plus, as forms and curl write them.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Problem> {
        let pairs = text.unwrap_or_default().split('&');
        pairs
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decode(name)?, decode(value)?))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// A parameter's value, if it is there.
    pub(crate) fn get(&self, wanted: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_str())
    }

    /// All values of a parameter that may be given several times.
    pub(crate) fn all(&self, wanted: &str) -> impl Iterator<Item = &str> {
        let pairs = self.0.iter().filter(move |(name, _)| name == wanted);
        pairs.map(|(_, value)| value.as_str())
    }

    /// A parameter that must be there.
    pub(crate) fn need(&self, wanted: &str) -> Result<&str, Problem> {
        self.get(wanted)
            .ok_or_else(|| bad(format!("the parameter '{wanted}' is missing")))
    }
}

fn bad(message: String) -> Problem {
    Problem::new(Code::BadRequest, message)
}

fn decode(text: &str) -> Result<String, Problem> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                let pair = high.zip(low).map(|(high, low)| high * 16 + low);
                pair.ok_or_else(|| bad(format!("'{text}' has a bad percent escape")))?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).map_err(|_| bad(format!("'{text}' is not UTF-8")))
}

fn digit(byte: Option<u8>) -> Option<u8> {
    let value = char::from(byte?).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests;
