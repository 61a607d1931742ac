//! Whether a text is a CEL expression (A-TL-13): the syntax and the standard macros, no types and no evaluation.
//!
//! Source: cel-go `parser/gen/CEL.g4`, `parser/macro.go`. Spec: CEL language definition, "Syntax".

mod lexer;
mod parser;

#[cfg(test)]
mod tests;

/// Most bytes of an expression; upstream's limit is as many characters.
const SIZE_LIMIT: usize = 100_000;

/// Whether cel-go's parser takes the text.
///
/// # Errors
/// The first problem, and the byte where it is.
pub(super) fn check(text: &str) -> Result<(), CelError> {
    if text.len() > SIZE_LIMIT {
        return Err(CelError::new(SIZE_LIMIT, "the expression is too long"));
    }
    parser::Parser::new(&lexer::tokens(text)?, text.len()).expression()
}

/// Why a text is no CEL expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CelError {
    offset: usize,
    problem: String,
}

impl CelError {
    fn new(offset: usize, problem: impl Into<String>) -> Self {
        Self {
            offset,
            problem: problem.into(),
        }
    }
}

impl std::fmt::Display for CelError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { offset, problem } = self;
        write!(f, "{problem}, at byte {offset}")
    }
}
