//! Their protocols: GraphQL's documents ([`graphql`]), the events API's search ([`events`]), and what
//! proves who calls back ([`callback`]). What is in an answer is read in `mapping`.

pub mod callback;
pub mod events;
pub mod graphql;
