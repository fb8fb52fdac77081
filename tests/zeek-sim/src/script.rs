//! Reading scripts: tokens, grammar, values, and what of it all a node does.

pub mod ast;
pub mod check;
pub mod decl;
pub mod defaults;
pub mod eval;
pub mod lexer;
pub mod loader;
pub mod own;
pub mod parser;
pub mod value;
pub mod world;
