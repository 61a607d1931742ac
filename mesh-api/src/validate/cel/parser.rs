//! The grammar of CEL, by recursive descent with a limit on the depth.

use super::CelError;
use super::lexer::{Spanned, Token};

/// Deepest nesting of expressions, as upstream.
const DEPTH_LIMIT: u32 = 250;

/// Names that the language keeps to itself.
const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "namespace",
    "package",
    "return",
    "var",
    "void",
    "while",
];

/// Names that are words of their own and no identifiers.
const KEYWORDS: &[&str] = &["false", "in", "null", "true"];

pub(super) struct Parser<'t, 'a> {
    tokens: &'t [Spanned<'a>],
    next: usize,
    end: usize,
    depth: u32,
}

/// What an expression is, as far as macros ask.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Identifier,
    Other,
    Select,
}

impl<'t, 'a> Parser<'t, 'a> {
    /// A parser of the words of a text of `end` bytes.
    pub(super) fn new(tokens: &'t [Spanned<'a>], end: usize) -> Self {
        Self {
            tokens,
            next: 0,
            end,
            depth: 0,
        }
    }

    /// Reads an expression and nothing after it.
    pub(super) fn expression(mut self) -> Result<(), CelError> {
        self.conditional()?;
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error("the expression should have ended")),
        }
    }

    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.next).map(|spanned| spanned.token)
    }

    fn offset(&self) -> usize {
        self.tokens
            .get(self.next)
            .map_or(self.end, |spanned| spanned.offset)
    }

    fn error(&self, problem: impl Into<String>) -> CelError {
        CelError::new(self.offset(), problem)
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(next)) if next == symbol);
        self.next += usize::from(found);
        found
    }

    fn take_any(&mut self, symbols: &[&str]) -> bool {
        symbols.iter().any(|symbol| self.take(symbol))
    }

    fn expect(&mut self, symbol: &str) -> Result<(), CelError> {
        match self.take(symbol) {
            true => Ok(()),
            false => Err(self.error(format!("`{symbol}` is missing"))),
        }
    }

    /// A name; keywords are none.
    fn identifier(&mut self) -> Result<&'a str, CelError> {
        match self.peek() {
            Some(Token::Identifier(name)) if !KEYWORDS.contains(&name) => {
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.error("a name is missing")),
        }
    }

    /// `or ? or : conditional`; a chain of those is read in a loop.
    fn conditional(&mut self) -> Result<Shape, CelError> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(self.error(format!("expressions are nested more than {DEPTH_LIMIT} deep")));
        }
        let mut shape = self.binary()?;
        while self.take("?") {
            self.binary()?;
            self.expect(":")?;
            self.binary()?;
            shape = Shape::Other;
        }
        self.depth -= 1;
        Ok(shape)
    }

    /// Operators between operands. What binds tighter does not matter for what is allowed.
    fn binary(&mut self) -> Result<Shape, CelError> {
        const OPERATORS: &[&str] = &[
            "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%",
        ];
        let mut shape = self.unary()?;
        loop {
            let is_in = self.peek() == Some(Token::Identifier("in"));
            if is_in {
                self.next += 1;
            } else if !self.take_any(OPERATORS) {
                return Ok(shape);
            }
            self.unary()?;
            shape = Shape::Other;
        }
    }

    /// Either exclamation marks or minus signs before a member; a number may bring one minus sign of its own.
    fn unary(&mut self) -> Result<Shape, CelError> {
        let mut negated = false;
        while self.take("!") {
            negated = true;
        }
        if negated {
            if self.take("-") && !matches!(self.peek(), Some(Token::Number { .. })) {
                return Err(self.error("`!` and `-` do not go together"));
            }
            self.member()?;
            return Ok(Shape::Other);
        }
        let mut minus = false;
        while self.take("-") {
            minus = true;
        }
        let shape = self.member()?;
        Ok(if minus { Shape::Other } else { shape })
    }

    fn member(&mut self) -> Result<Shape, CelError> {
        let mut shape = self.primary()?;
        loop {
            if self.take(".") {
                let name = self.identifier()?;
                shape = match self.take("(") {
                    true => {
                        let arguments = self.arguments()?;
                        self.check_macro(name, &arguments, Receiver::Given)?;
                        Shape::Other
                    }
                    false => Shape::Select,
                };
            } else if self.take("[") {
                self.conditional()?;
                self.expect("]")?;
                shape = Shape::Other;
            } else {
                return Ok(shape);
            }
        }
    }

    fn follows_minus(&self) -> bool {
        let before = self.next.checked_sub(1).and_then(|index| self.tokens.get(index));
        before.is_some_and(|spanned| spanned.token == Token::Symbol("-"))
    }

    fn primary(&mut self) -> Result<Shape, CelError> {
        match self.peek() {
            Some(Token::Number { signed_only: true }) if !self.follows_minus() => {
                Err(self.error("the number is out of range"))
            }
            Some(Token::Literal | Token::Number { .. }) => {
                self.next += 1;
                Ok(Shape::Other)
            }
            Some(Token::Identifier("false" | "null" | "true")) => {
                self.next += 1;
                Ok(Shape::Other)
            }
            Some(Token::Symbol("(")) => {
                self.next += 1;
                let shape = self.conditional()?;
                self.expect(")")?;
                Ok(shape)
            }
            Some(Token::Symbol("[")) => {
                self.next += 1;
                self.list("]", |parser| parser.conditional().map(|_| ()))?;
                Ok(Shape::Other)
            }
            Some(Token::Symbol("{")) => {
                self.next += 1;
                self.list("}", |parser| {
                    parser.conditional()?;
                    parser.expect(":")?;
                    parser.conditional().map(|_| ())
                })?;
                Ok(Shape::Other)
            }
            Some(Token::Identifier(_) | Token::Symbol(".")) => self.named(),
            _ => Err(self.error("an expression is missing")),
        }
    }

    /// A name, a call of a function, or a message; any of them with a dot before it.
    fn named(&mut self) -> Result<Shape, CelError> {
        self.take(".");
        if let Some(length) = self.message_name() {
            self.next += length;
            self.expect("{")?;
            self.list("}", |parser| {
                parser.identifier()?;
                parser.expect(":")?;
                parser.conditional().map(|_| ())
            })?;
            return Ok(Shape::Other);
        }
        let start = self.offset();
        let name = self.identifier()?;
        if RESERVED.contains(&name) {
            return Err(CelError::new(start, format!("the name `{name}` is reserved")));
        }
        if !self.take("(") {
            return Ok(Shape::Identifier);
        }
        let arguments = self.arguments()?;
        self.check_macro(name, &arguments, Receiver::None)?;
        Ok(Shape::Other)
    }

    /// The number of words of a path of names, if a brace follows it.
    fn message_name(&self) -> Option<usize> {
        let mut rest = self.tokens.get(self.next..)?.iter().map(|spanned| spanned.token);
        let mut length = 0;
        loop {
            match rest.next()? {
                Token::Identifier(name) if !KEYWORDS.contains(&name) => {}
                _ => return None,
            }
            length += 1;
            match rest.next()? {
                Token::Symbol("{") => return Some(length),
                Token::Symbol(".") => length += 1,
                _ => return None,
            }
        }
    }

    /// Elements up to `end`, with commas between them and perhaps one after the last.
    fn list(
        &mut self,
        end: &str,
        mut element: impl FnMut(&mut Self) -> Result<(), CelError>,
    ) -> Result<(), CelError> {
        if self.take(",") {
            return self.expect(end); // a lone comma is allowed
        }
        while !self.take(end) {
            element(self)?;
            if !self.take(",") {
                return self.expect(end);
            }
        }
        Ok(())
    }

    /// Arguments up to the closing parenthesis; no comma after the last.
    fn arguments(&mut self) -> Result<Vec<Shape>, CelError> {
        let mut shapes = Vec::new();
        if self.take(")") {
            return Ok(shapes);
        }
        loop {
            shapes.push(self.conditional()?);
            if !self.take(",") {
                self.expect(")")?;
                return Ok(shapes);
            }
        }
    }

    /// The standard macros want names in certain places; with another number of arguments a call is a plain one.
    fn check_macro(&self, name: &str, arguments: &[Shape], receiver: Receiver) -> Result<(), CelError> {
        let (first, wanted) = match (name, receiver, arguments) {
            ("has", Receiver::None, [first]) => (first, Shape::Select),
            ("all" | "exists" | "exists_one" | "existsOne" | "filter", Receiver::Given, [first, _])
            | ("map", Receiver::Given, [first, _] | [first, _, _]) => (first, Shape::Identifier),
            _ => return Ok(()),
        };
        match (first == &wanted, wanted) {
            (true, _) => Ok(()),
            (false, Shape::Select) => Err(self.error("has() asks for a field, such as `a.b`")),
            (false, _) => Err(self.error(format!("the first argument of {name}() is a name"))),
        }
    }
}

/// Whether a function is called on a value.
#[derive(Clone, Copy, PartialEq)]
enum Receiver {
    Given,
    None,
}
