//! Nested JSON from a flat list of paths, in one pass and without building anything.
//!
//! Entries are sorted once so that those below the same object lie side by side; writing opens and closes objects only
//! where the path changes against the entry written before. A segment `name[]` is an array of one object.

/// A path with what stands at its end.
pub(crate) struct Entry<M> {
    /// Objects to open, outermost first.
    objects: Vec<Object>,
    /// `"name":` of the member.
    key: String,
    pub(crate) member: M,
}

struct Object {
    /// Equal for the same object, whatever the entry.
    id: u32,
    open: String,
    close: &'static str,
}

/// The entries of a document, in the order of writing.
pub(crate) struct Tree<M>(Vec<Entry<M>>);

/// Deepest nesting of a format.
const DEPTH_MAX: usize = 8;

impl<M> Tree<M> {
    /// Sorts the paths. A path that is both a member and an object is a mistake in the table.
    pub(crate) fn new(mut paths: Vec<(String, M)>) -> Tree<M> {
        paths.sort_by(|a, b| a.0.split('.').cmp(b.0.split('.')));
        let mut known: Vec<String> = Vec::new();
        let entries = paths.into_iter().map(|(path, member)| {
            let mut objects = Vec::new();
            let (parents, name) = path.rsplit_once('.').map_or((None, path.as_str()), |(a, b)| (Some(a), b));
            let mut prefix = String::new();
            for segment in parents.into_iter().flat_map(|parents| parents.split('.')) {
                prefix.push('.');
                prefix.push_str(segment);
                let id = known.iter().position(|other| *other == prefix).unwrap_or_else(|| {
                    known.push(prefix.clone());
                    known.len() - 1
                });
                let (open, close) = match segment.strip_suffix("[]") {
                    Some(name) => (format!("\"{name}\":[{{"), "}]"),
                    None => (format!("\"{segment}\":{{"), "}"),
                };
                objects.push(Object { id: id as u32, open, close });
            }
            assert!(objects.len() <= DEPTH_MAX, "a path is at most {DEPTH_MAX} deep");
            Entry { objects, key: format!("\"{name}\":"), member }
        });
        Tree(entries.collect())
    }

    /// Appends the object. `write` appends a member's value, or leaves the buffer as it is and says `false`; `has` says
    /// beforehand whether there is one.
    pub(crate) fn write(&self, out: &mut Vec<u8>, has: impl Fn(&M) -> bool, write: impl Fn(&M, &mut Vec<u8>)) {
        out.push(b'{');
        let mut open: &[Object] = &[];
        let mut comma = false;
        for entry in self.0.iter().filter(|entry| has(&entry.member)) {
            let shared = open.iter().zip(&entry.objects).take_while(|(a, b)| a.id == b.id).count();
            for object in open[shared..].iter().rev() {
                out.extend_from_slice(object.close.as_bytes());
                comma = true;
            }
            for object in &entry.objects[shared..] {
                if comma {
                    out.push(b',');
                }
                out.extend_from_slice(object.open.as_bytes());
                comma = false;
            }
            if comma {
                out.push(b',');
            }
            out.extend_from_slice(entry.key.as_bytes());
            write(&entry.member, out);
            comma = true;
            open = &entry.objects;
        }
        for object in open.iter().rev() {
            out.extend_from_slice(object.close.as_bytes());
        }
        out.push(b'}');
    }

    /// Paths that are a member and an object at once; none in a right table.
    #[cfg(test)]
    pub(crate) fn collisions(paths: &[(String, M)]) -> Vec<String> {
        let names: Vec<&str> = paths.iter().map(|(path, _)| path.as_str()).collect();
        let below = |path: &str| names.iter().any(|other| other.starts_with(&format!("{path}.")));
        let twice = |path: &str| names.iter().filter(|other| **other == path).count() > 1;
        names.iter().filter(|path| below(path) || twice(path)).map(|path| (*path).to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_below_the_same_object_are_written_together() {
        let paths = ["b.x", "a", "b.c.d", "c[].e", "c[].f.g", "b.c.a", "d"];
        let tree = Tree::new(paths.into_iter().map(|path| (path.to_owned(), path)).collect());
        let text = |skip: &str| {
            let mut out = Vec::new();
            tree.write(
                &mut out,
                |path| *path != skip,
                |path, out| out.extend_from_slice(format!("\"{path}\"").as_bytes()),
            );
            String::from_utf8(out).expect("UTF-8")
        };
        assert_eq!(
            text(""),
            r#"{"a":"a","b":{"c":{"a":"b.c.a","d":"b.c.d"},"x":"b.x"},"c":[{"e":"c[].e","f":{"g":"c[].f.g"}}],"d":"d"}"#
        );
        assert_eq!(text("b.x"), text("").replace(r#","x":"b.x""#, ""));
        assert_eq!(text("d"), text("").replace(r#","d":"d""#, ""));
    }
}
