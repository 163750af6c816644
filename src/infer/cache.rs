//! A small cache that discards the least recently used entry.

/// At most `limit` values by key. Looking up a value makes it the most recently used.
pub struct Recent<K, V> {
    limit: usize,
    /// The entries, least recently used first. The limits are small, so that a linear search is faster than
    /// hashing.
    entries: Vec<(K, V)>,
}

impl<K: PartialEq, V: Clone> Recent<K, V> {
    /// Creates an empty cache.
    pub fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), entries: Vec::new() }
    }

    /// The value under `key`, if it is still cached.
    pub fn get(&mut self, key: &K) -> Option<V> {
        let index = self.entries.iter().position(|(k, _)| k == key)?;
        let entry = self.entries.remove(index);
        let value = entry.1.clone();
        self.entries.push(entry);
        Some(value)
    }

    /// Stores `value` under `key`. If there is no room, the least recently used entry is discarded.
    pub fn put(&mut self, key: K, value: V) {
        self.entries.retain(|(k, _)| *k != key);
        if self.entries.len() == self.limit {
            self.entries.remove(0);
        }
        self.entries.push((key, value));
    }

    /// The entry that was used last.
    pub fn latest(&self) -> Option<&(K, V)> {
        self.entries.last()
    }

    /// Discards all entries.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_what_was_not_used_for_longest() {
        let mut cache = Recent::new(2);
        cache.put("a", 1);
        cache.put("b", 2);
        assert_eq!(cache.get(&"a"), Some(1));
        cache.put("c", 3);
        assert_eq!(cache.get(&"b"), None, "b was the least recently used");
        assert_eq!((cache.get(&"a"), cache.get(&"c")), (Some(1), Some(3)));
    }
}
