//! The tokens of users (JSON web tokens) that requests to the ingress gateway carry.

/// How the tokens are checked that an application asks to have checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tokens {
    /// By these rules; there is at least one.
    CheckedBy(Vec<TokenRule>),
    /// It is not known yet: until then no request reaches the application.
    Unknown,
}

/// What tokens of one issuer have to be like, and what becomes of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRule {
    /// Who has issued them.
    pub issuer: String,
    /// The address of the issuer's keys; `None` for what the issuer itself says.
    pub keys: Option<String>,
    /// Whom they are for: at least one of these, or anybody where there are none.
    pub audiences: Vec<String>,
    /// Whether they stay in the request; `None` as Istio does by default.
    pub forward: Option<bool>,
    /// What is passed on of them.
    pub claims: Vec<Claim>,
    /// Where they are looked for; where Istio does by default if it is nowhere.
    pub places: Vec<Place>,
}

/// A claim that is passed on in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The header.
    pub header: String,
    /// The claim.
    pub claim: String,
}

/// A header in which a token is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The header.
    pub header: String,
    /// What stands before the token.
    pub prefix: Option<String>,
}
