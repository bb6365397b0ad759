//! Reads the results out of what `cargo test` prints.
//!
//! The text output is read, not JSON: libtest's JSON is unstable. A test that could not run for want of a tool
//! says so itself, on stderr past libtest's capture, with a line that begins with [`SKIPPED`]; libtest then
//! takes it for passed, and here it is taken off again.

/// How a test says that it did not run: `SKIPPED name: why`.
pub const SKIPPED: &str = "SKIPPED ";

/// Results added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Tests that ran and held.
    pub passed: usize,
    /// Tests that ran and did not hold.
    pub failed: usize,
    /// What did not run, each with its reason.
    pub skipped: Vec<String>,
}

impl Count {
    /// Takes one line of output.
    pub fn read(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += number_before(result, " passed");
            self.failed += number_before(result, " failed");
            let ignored = number_before(result, " ignored");
            self.skipped.extend((0..ignored).map(|_| "a test marked #[ignore]".to_owned()));
        } else if let Some(skipped) = line.strip_prefix(SKIPPED) {
            self.skipped.push(skipped.to_owned());
        }
    }

    /// The count once the output has ended: skipped tests were reported as passed.
    pub fn finish(mut self) -> Self {
        let said_themselves = self.skipped.iter().filter(|why| !why.contains("#[ignore]")).count();
        self.passed = self.passed.saturating_sub(said_themselves);
        self
    }
}

fn number_before(text: &str, word: &str) -> usize {
    let Some(end) = text.find(word) else { return 0 };
    let digits = text[..end].rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(output: &str) -> Count {
        let mut count = Count::default();
        output.lines().for_each(|line| count.read(line));
        count.finish()
    }

    #[test]
    fn results_of_several_test_programs_are_added_up() {
        let found = count(
            "running 3 tests\n\
             test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
             test result: FAILED. 11 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.17s\n",
        );
        assert_eq!(found, Count { passed: 14, failed: 2, skipped: Vec::new() });
    }

    #[test]
    fn a_test_that_says_it_was_skipped_is_not_a_passed_one() {
        let found = count(
            "SKIPPED real_kafka: set PORTOLAN_KAFKA_LIBS\n\
             test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
        );
        assert_eq!((found.passed, found.failed, found.skipped.len()), (1, 0, 2));
    }
}
