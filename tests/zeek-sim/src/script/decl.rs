//! The grammar of declarations.

use crate::script::ast::{Decl, Expr};
use crate::script::lexer::Kind;
use crate::script::parser::{Failure, Parse, Parsed};

/// Declarations, for every stream of tokens.
pub trait ParseDecl: Parse {
    /// Parses a declaration; `None` at the end of all files, and at the brace that ends an `export`.
    fn decl(&mut self) -> Parsed<Option<Decl>> {
        let token = self.peek()?;
        let word = match &token.kind {
            Kind::End => return Ok(None),
            Kind::Op(";") => {
                self.next()?;
                return Ok(Some(Decl::Other(None)));
            }
            Kind::Ident(word) => word.clone(),
            _ => String::new(),
        };
        Ok(Some(match word.as_str() {
            "module" => {
                self.next()?;
                let (name, _) = self.name()?;
                self.expect(";")?;
                Decl::Module(name)
            }
            "const" | "global" | "option" => {
                self.next()?;
                self.variable()?
            }
            "redef" => {
                self.next()?;
                self.redef()?
            }
            "type" => {
                self.next()?;
                let (name, _) = self.name()?;
                self.expect(":")?;
                self.of()?;
                self.attrs()?;
                self.expect(";")?;
                Decl::Other(Some(name))
            }
            "event" | "hook" | "function" => {
                self.next()?;
                let (name, place) = self.name()?;
                // A call of an event or a hook may stand at the top, too; only a definition is known by its types.
                self.expect("(")?;
                let params = self.params(")")?;
                if self.eat(":")? {
                    self.of()?;
                }
                self.attrs()?;
                if self.eat(";")? {
                    return Err(Failure::error(&place, "syntax error, at or near \";\""));
                }
                let body = self.block()?;
                if word == "event" { Decl::Event { name, params, body } } else { Decl::Other(Some(name)) }
            }
            _ => Decl::Stmt(self.stmt()?),
        }))
    }

    /// Parses what follows `const`, `global` or `option`.
    fn variable(&mut self) -> Parsed<Decl> {
        let (name, _) = self.name()?;
        let of = if self.eat(":")? { Some(self.of()?) } else { None };
        // Up to 4.x a table's value may follow without the sign.
        let value = if self.eat("=")? || self.at("{")? { Some(self.assignment(true)?) } else { None };
        self.attrs()?;
        self.expect(";")?;
        Ok(Decl::Variable { name, of, value })
    }

    /// Parses what follows `redef`.
    fn redef(&mut self) -> Parsed<Decl> {
        if self.eat_word("record")? {
            self.name()?;
            if self.eat("$")? {
                self.name()?;
                while !self.at(";")? {
                    self.next()?;
                }
            } else {
                self.expect("+=")?;
                self.expect("{")?;
                self.params("}")?;
            }
            self.attrs()?;
            self.expect(";")?;
            return Ok(Decl::Other(None));
        }
        if self.eat_word("enum")? {
            self.name()?;
            self.expect("+=")?;
            self.expect("{")?;
            self.enumerators()?;
            self.expect(";")?;
            return Ok(Decl::Other(None));
        }
        let (name, place) = self.name()?;
        if self.eat(":")? {
            self.of()?;
        }
        let mut op = "";
        let mut value = Expr::Opaque;
        for candidate in ["=", "+=", "-="] {
            if self.eat(candidate)? {
                op = candidate;
                value = self.assignment(true)?;
                break;
            }
        }
        self.attrs()?;
        self.expect(";")?;
        Ok(Decl::Redef { name, op, value, place })
    }
}

impl<T: Parse + ?Sized> ParseDecl for T {}
