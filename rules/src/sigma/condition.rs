//! The condition grammar: words, parentheses, `x of y`, `not`, `and`, `or`, tightest first.
//!
//! ```text
//! expr     = and_expr { "or" and_expr }        and_expr = not_expr { "and" not_expr }
//! not_expr = "not" not_expr | primary          primary  = ("1"|"any"|"all") "of" ("them"|pattern) | name | "(" expr ")"
//! ```
//!
//! Recursive descent over at most [`TOKENS_MAX`] words. Names stay names here, because detections resolve them to search
//! identifiers and temporal correlations to rules.

use super::ast::{Expr, Name, NamedExpr, Search};
use super::error::{At, Fault};

/// Most words and parentheses in one condition.
pub const TOKENS_MAX: usize = 2_000;
/// Deepest nesting of parentheses and `not`.
pub const DEPTH_MAX: usize = 64;

/// A fault inside a condition, before the file is known.
pub type Refused = (At, String, Fault);

/// Parses a condition. `text_at` is where its text begins if it stands in the file as it is, else `at` is told.
///
/// # Errors
/// The first word that does not fit.
pub fn parse(text: &str, text_at: Option<At>, at: At) -> Result<NamedExpr, Refused> {
    let tokens = tokens(text, text_at, at)?;
    let end = text_at.map_or(at, |at| at.plus(text.chars().count()));
    let mut parser = Parser { tokens: &tokens, next: 0, end };
    let expr = parser.or(0)?;
    match parser.peek() {
        None => Ok(expr),
        Some(_) => Err(parser.refuse("`and`, `or` or the end")),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Token<'t> {
    text: &'t str,
    at: At,
}

fn tokens<'t>(text: &'t str, text_at: Option<At>, at: At) -> Result<Vec<Token<'t>>, Refused> {
    let mut tokens = Vec::new();
    let place = |byte: usize| text_at.map_or(at, |at| at.plus(text[..byte].chars().count()));
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if c.is_whitespace() {
            continue;
        }
        let mut end = start + c.len_utf8();
        match c {
            '(' | ')' => {}
            '|' => return Err((place(start), "|".to_owned(), Fault::ConditionPipe)),
            _ => {
                while let Some((_, next)) = chars.next_if(|(_, c)| !c.is_whitespace() && !matches!(c, '(' | ')' | '|'))
                {
                    end += next.len_utf8();
                }
            }
        }
        let word = &text[start..end];
        if !matches!(c, '(' | ')') && !word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '*' | '.')) {
            return Err((
                place(start),
                word.to_owned(),
                Fault::Condition { expected: "a name, a keyword or a parenthesis" },
            ));
        }
        tokens.push(Token { text: word, at: place(start) });
        if tokens.len() > TOKENS_MAX {
            return Err((place(start), String::new(), Fault::ConditionTooDeep));
        }
    }
    Ok(tokens)
}

struct Parser<'t> {
    tokens: &'t [Token<'t>],
    next: usize,
    end: At,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.next).copied()
    }

    fn keyword(&mut self, word: &str) -> bool {
        let is = self.peek().is_some_and(|token| token.text.eq_ignore_ascii_case(word));
        self.next += usize::from(is);
        is
    }

    #[cold]
    fn refuse(&self, expected: &'static str) -> Refused {
        match self.peek() {
            Some(token) => (token.at, token.text.to_owned(), Fault::Condition { expected }),
            None => (self.end, String::new(), Fault::Condition { expected }),
        }
    }

    fn or(&mut self, depth: usize) -> Result<NamedExpr, Refused> {
        let mut parts = vec![self.and(depth)?];
        while self.keyword("or") {
            parts.push(self.and(depth)?);
        }
        Ok(one_or(parts, NamedExpr::Or))
    }

    fn and(&mut self, depth: usize) -> Result<NamedExpr, Refused> {
        let mut parts = vec![self.not(depth)?];
        while self.keyword("and") {
            parts.push(self.not(depth)?);
        }
        Ok(one_or(parts, NamedExpr::And))
    }

    fn not(&mut self, depth: usize) -> Result<NamedExpr, Refused> {
        if depth > DEPTH_MAX {
            return Err((self.peek().map_or(self.end, |token| token.at), String::new(), Fault::ConditionTooDeep));
        }
        if self.keyword("not") {
            return Ok(NamedExpr::Not(Box::new(self.not(depth + 1)?)));
        }
        self.primary(depth)
    }

    fn primary(&mut self, depth: usize) -> Result<NamedExpr, Refused> {
        let Some(token) = self.peek() else { return Err(self.refuse("a name, `not` or `(`")) };
        if token.text == "(" {
            self.next += 1;
            let inner = self.or(depth + 1)?;
            if !self.keyword(")") {
                return Err(self.refuse("`)`"));
            }
            return Ok(inner);
        }
        let followed_by_of = self.tokens.get(self.next + 1).is_some_and(|next| next.text.eq_ignore_ascii_case("of"));
        if followed_by_of {
            return self.selector(token);
        }
        let reserved = ["and", "or", "of", "them"].iter().any(|word| token.text.eq_ignore_ascii_case(word));
        if reserved || token.text == ")" || token.text.contains('*') {
            return Err(self.refuse("a name, `not` or `(`"));
        }
        self.next += 1;
        Ok(NamedExpr::Name(Name { text: token.text.to_owned(), at: token.at }))
    }

    fn selector(&mut self, quantifier: Token<'t>) -> Result<NamedExpr, Refused> {
        let all = quantifier.text.eq_ignore_ascii_case("all");
        if !all && quantifier.text != "1" && !quantifier.text.eq_ignore_ascii_case("any") {
            return Err((quantifier.at, quantifier.text.to_owned(), Fault::BadQuantifier));
        }
        self.next += 2;
        let pattern = match self.peek() {
            Some(token) if !matches!(token.text, "(" | ")") => token,
            Some(_) | None => return Err(self.refuse("`them` or a pattern")),
        };
        self.next += 1;
        let name = (!pattern.text.eq_ignore_ascii_case("them"))
            .then(|| Name { text: pattern.text.to_owned(), at: pattern.at });
        Ok(if all { NamedExpr::AllOf(name, pattern.at) } else { NamedExpr::OneOf(name, pattern.at) })
    }
}

fn one_or(mut parts: Vec<NamedExpr>, join: fn(Vec<NamedExpr>) -> NamedExpr) -> NamedExpr {
    match parts.len() {
        1 => parts.remove(0),
        _ => join(parts),
    }
}

/// Replaces names by the indices of search identifiers.
///
/// # Errors
/// The first name or pattern that no identifier has.
pub fn resolve(expr: &NamedExpr, searches: &[Search]) -> Result<Expr, Refused> {
    let all = |parts: &[NamedExpr]| parts.iter().map(|part| resolve(part, searches)).collect::<Result<Vec<_>, _>>();
    Ok(match expr {
        NamedExpr::Name(name) => match searches.iter().position(|search| search.name == name.text) {
            Some(index) => Expr::Search(index),
            None => {
                let known = searches.iter().map(|search| search.name.as_str());
                let suggestion = schemas::nearest(&name.text, known).map(str::to_owned);
                return Err((name.at, name.text.clone(), Fault::UnknownIdentifier { suggestion }));
            }
        },
        NamedExpr::OneOf(pattern, at) => Expr::Or(selected(pattern.as_ref(), *at, searches)?),
        NamedExpr::AllOf(pattern, at) => Expr::And(selected(pattern.as_ref(), *at, searches)?),
        NamedExpr::And(parts) => Expr::And(all(parts)?),
        NamedExpr::Or(parts) => Expr::Or(all(parts)?),
        NamedExpr::Not(part) => Expr::Not(Box::new(resolve(part, searches)?)),
    })
}

/// Identifiers that begin with `_` are chosen only by a pattern that does so, too.
fn selected(pattern: Option<&Name>, at: At, searches: &[Search]) -> Result<Vec<Expr>, Refused> {
    let fits = |name: &str| match pattern {
        None => !name.starts_with('_'),
        Some(pattern) => {
            (pattern.text.starts_with('_') || !name.starts_with('_')) && fits(pattern.text.as_bytes(), name.as_bytes())
        }
    };
    let found: Vec<Expr> = searches
        .iter()
        .enumerate()
        .filter(|(_, search)| fits(&search.name))
        .map(|(index, _)| Expr::Search(index))
        .collect();
    if found.is_empty() {
        let text = pattern.map_or_else(|| "them".to_owned(), |pattern| pattern.text.clone());
        return Err((at, text, Fault::EmptySelector));
    }
    Ok(found)
}

/// Whether a name fits a pattern in which `*` is any number of characters. Goes back to the last star only, so it takes
/// at most pattern × name steps.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(byte) if *byte == name[n] => {
                p += 1;
                n += 1;
            }
            Some(_) | None => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigma::ast::Match;

    fn check(text: &str, want: &str) {
        let searches: Vec<Search> =
            ["sel", "sel_a", "sel_b", "filter_x", "_hidden", "and_filter", "not_x", "1of", "f-g"]
                .iter()
                .map(|name| Search { name: (*name).to_owned(), at: At::default(), what: Match::All(Vec::new()) })
                .collect();
        let at = At { line: 1, column: 1 };
        let got = match parse(text, Some(at), at).and_then(|expr| resolve(&expr, &searches)) {
            Ok(expr) => show(&expr, &searches),
            Err((at, found, fault)) => format!("{} `{found}` {fault}", at.column),
        };
        assert_eq!(got, want, "{text}");
    }

    fn show(expr: &Expr, searches: &[Search]) -> String {
        let join = |parts: &[Expr], by: &str| {
            format!("({})", parts.iter().map(|part| show(part, searches)).collect::<Vec<_>>().join(by))
        };
        match expr {
            Expr::Search(index) => searches[*index].name.clone(),
            Expr::And(parts) => join(parts, " & "),
            Expr::Or(parts) => join(parts, " | "),
            Expr::Not(part) => format!("!{}", show(part, searches)),
        }
    }

    #[test]
    fn not_binds_tighter_than_and_and_that_tighter_than_or() {
        check("sel or sel_a and not sel_b", "(sel | (sel_a & !sel_b))");
        check("(sel OR sel_a) And sel_b", "((sel | sel_a) & sel_b)");
        check("not not sel", "!!sel");
        check("not 1 of sel_*", "!(sel_a | sel_b)");
        check("not 1 of sel_* and sel", "(!(sel_a | sel_b) & sel)");
    }

    #[test]
    fn selectors_choose_by_pattern_and_leave_hidden_identifiers() {
        check("all of sel*", "(sel & sel_a & sel_b)");
        check("any of *_a", "(sel_a)");
        check("1 of them", "(sel | sel_a | sel_b | filter_x | and_filter | not_x | 1of | f-g)");
        check("1 of _*", "(_hidden)");
        check("1 of f*", "(filter_x | f-g)");
        check("1 of none_*", "6 `none_*` no search identifier fits this pattern, so it could never hold");
        check("2 of sel*", "1 `2` expected `1 of`, `any of` or `all of`");
    }

    #[test]
    fn keywords_are_recognised_as_whole_words_only() {
        check("and_filter and not_x and 1of and f-g", "(and_filter & not_x & 1of & f-g)");
    }

    #[test]
    fn a_fault_says_its_column_and_what_was_expected() {
        check("sel and", "8 `` the condition has something else here; expected a name, `not` or `(`");
        check("(sel or sel_a", "14 `` the condition has something else here; expected `)`");
        check("sel sel_a", "5 `sel_a` the condition has something else here; expected `and`, `or` or the end");
        check("sel and slection", "9 `slection` no search identifier of this rule has that name");
        check("sel and sel_c", "9 `sel_c` no search identifier of this rule has that name; did you mean `sel_a`?");
        check(
            "sel | count() > 5",
            "5 `|` aggregations after `|` are no longer part of Sigma; write a correlation rule",
        );
        check(
            &format!("{}sel{}", "(".repeat(90), ")".repeat(90)),
            "66 `` the condition is nested too deeply or too long",
        );
    }
}
