//! The most specific match of R-HOST-7 without a scan.

use std::collections::{BTreeMap, HashMap};

use super::Host;

/// Values by host, found by the most specific host that covers a name (R-HOST-7).
///
/// An exact name is one hash look-up. For wildcards, the lengths of their tails are known, and each length is one look-up
/// of a suffix of the needle, longest first: the cost grows with the number of distinct lengths, not of hosts.
///
/// ```
/// use mesh_api::names::{Host, HostIndex};
///
/// let mut index = HostIndex::new();
/// index.insert(Host::from("*"), 1);
/// index.insert(Host::from("*.example.com"), 2);
/// index.insert(Host::from("shop.example.com"), 3);
/// let value = |name: &str| index.most_specific(&Host::from(name)).map(|(_, value)| *value);
/// assert_eq!(value("shop.example.com"), Some(3));
/// assert_eq!(value("blog.example.com"), Some(2));
/// assert_eq!(value("example.com"), Some(1));
/// assert_eq!(value("*.shop.example.com"), Some(2)); // a wildcard never finds an exact name
/// ```
#[derive(Debug, Clone)]
pub struct HostIndex<T> {
    exact: HashMap<Host, T>,
    wildcards: HashMap<Host, T>,
    /// How many wildcards have a tail of this length.
    tail_lengths: BTreeMap<usize, usize>,
}

impl<T> HostIndex<T> {
    /// An empty index.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a value at a host and returns the one that was there.
    pub fn insert(&mut self, host: Host, value: T) -> Option<T> {
        let Some(length) = host.wildcard_tail().map(str::len) else {
            return self.exact.insert(host, value);
        };
        let replaced = self.wildcards.insert(host, value);
        if replaced.is_none() {
            *self.tail_lengths.entry(length).or_default() += 1;
        }
        replaced
    }

    /// Takes a host and its value out.
    pub fn remove(&mut self, host: &Host) -> Option<T> {
        let Some(length) = host.wildcard_tail().map(str::len) else {
            return self.exact.remove(host);
        };
        let removed = self.wildcards.remove(host)?;
        if let Some(count) = self.tail_lengths.get_mut(&length) {
            *count -= 1;
            if *count == 0 {
                self.tail_lengths.remove(&length);
            }
        }
        Some(removed)
    }

    /// The value put at exactly this host, which may be a wildcard.
    pub fn get(&self, host: &Host) -> Option<&T> {
        self.map_of(host).get(host)
    }

    /// Like [`get`](Self::get), to change the value.
    pub fn get_mut(&mut self, host: &Host) -> Option<&mut T> {
        if host.is_wildcard() {
            self.wildcards.get_mut(host)
        } else {
            self.exact.get_mut(host)
        }
    }

    /// The most specific host that covers all of `needle`, and its value (R-HOST-7).
    ///
    /// Source: Istio config/model `MostSpecificHostMatch`.
    pub fn most_specific(&self, needle: &Host) -> Option<(&Host, &T)> {
        match needle.wildcard_tail() {
            // a wildcard equal to the needle has the longest tail, so the search finds it first
            Some(tail) => self.longest_wildcard(tail),
            None => self
                .exact
                .get_key_value(needle)
                .or_else(|| self.longest_wildcard(needle.as_str())),
        }
    }

    /// The wildcard with the longest tail that `name` ends with.
    pub fn longest_wildcard(&self, name: &str) -> Option<(&Host, &T)> {
        let mut key = String::with_capacity(name.len() + 1);
        for &length in self
            .tail_lengths
            .range(..=name.len())
            .rev()
            .map(|(length, _)| length)
        {
            let Some((_, suffix)) = name.split_at_checked(name.len() - length) else {
                continue;
            };
            key.clear();
            key.push('*');
            key.push_str(suffix);
            if let Some(found) = self.wildcards.get_key_value(key.as_str()) {
                return Some(found);
            }
        }
        None
    }

    /// All hosts and values, the most specific host first.
    pub fn iter(&self) -> impl Iterator<Item = (&Host, &T)> {
        let mut all: Vec<_> = self.exact.iter().chain(&self.wildcards).collect();
        all.sort_by(|(a, _), (b, _)| a.cmp_specificity(b));
        all.into_iter()
    }

    /// The number of hosts.
    pub fn len(&self) -> usize {
        self.exact.len() + self.wildcards.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.wildcards.is_empty()
    }

    fn map_of(&self, host: &Host) -> &HashMap<Host, T> {
        if host.is_wildcard() {
            &self.wildcards
        } else {
            &self.exact
        }
    }
}

impl<T> Default for HostIndex<T> {
    fn default() -> Self {
        Self {
            exact: HashMap::new(),
            wildcards: HashMap::new(),
            tail_lengths: BTreeMap::new(),
        }
    }
}

impl<T> FromIterator<(Host, T)> for HostIndex<T> {
    fn from_iter<I: IntoIterator<Item = (Host, T)>>(pairs: I) -> Self {
        let mut index = Self::new();
        for (host, value) in pairs {
            index.insert(host, value);
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R-HOST-7 word by word, as the oracle.
    fn by_scan<'a>(hosts: &'a [Host], needle: &Host) -> Option<&'a Host> {
        if hosts.contains(needle) {
            return hosts.iter().find(|host| *host == needle);
        }
        let name = needle.wildcard_tail().unwrap_or(needle.as_str());
        hosts
            .iter()
            .filter(|host| host.wildcard_tail().is_some_and(|tail| name.ends_with(tail)))
            .min_by(|a, b| a.cmp_specificity(b))
    }

    #[test]
    fn agrees_with_a_scan_on_all_short_hosts() {
        let mut texts = vec![String::new()];
        for length in 0..4 {
            let longer: Vec<_> = texts
                .iter()
                .filter(|text| text.len() == length)
                .flat_map(|text| ["a", "b", "."].map(|next| format!("{text}{next}")))
                .collect();
            texts.extend(longer);
        }
        let names: Vec<Host> = texts
            .iter()
            .flat_map(|text| [Host::from(text.as_str()), Host::from(format!("*{text}"))])
            .collect();
        let mut hits = 0;
        for stride in [1, 2, 3, 5, 7, 11, 50] {
            let hosts: Vec<Host> = names.iter().step_by(stride).cloned().collect();
            let index: HostIndex<()> = hosts.iter().map(|host| (host.clone(), ())).collect();
            for needle in &names {
                let found = index.most_specific(needle).map(|(host, ())| host);
                assert_eq!(found, by_scan(&hosts, needle), "stride {stride}, needle {needle}");
                hits += usize::from(found.is_some());
            }
        }
        assert!(hits > 500, "{hits}");
    }

    #[test]
    fn removing_forgets_lengths() {
        let mut index = HostIndex::new();
        index.insert(Host::from("*.com"), 1);
        assert_eq!(index.insert(Host::from("*.com"), 2), Some(1));
        assert_eq!(index.get(&Host::from("*.com")), Some(&2));
        assert_eq!(index.remove(&Host::from("*.com")), Some(2));
        assert_eq!(index.remove(&Host::from("*.com")), None);
        assert!(index.tail_lengths.is_empty() && index.is_empty());
    }

    #[test]
    fn a_needle_cut_inside_a_character_is_no_match() {
        let index: HostIndex<()> = [(Host::from("*x"), ())].into_iter().collect();
        assert!(index.most_specific(&Host::from("é")).is_none());
    }
}
