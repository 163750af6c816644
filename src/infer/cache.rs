//! A small map that forgets what was not used for longest.

/// At most `limit` values by key. Looking one up makes it the last to be forgotten.
pub struct Recent<K, V> {
    limit: usize,
    /// Least recently used first. The limits are small, so a scan is quicker than hashing.
    entries: Vec<(K, V)>,
}

impl<K: PartialEq, V: Clone> Recent<K, V> {
    /// An empty cache.
    pub fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), entries: Vec::new() }
    }

    /// The value under `key`, if it is still there.
    pub fn get(&mut self, key: &K) -> Option<V> {
        let index = self.entries.iter().position(|(k, _)| k == key)?;
        let entry = self.entries.remove(index);
        let value = entry.1.clone();
        self.entries.push(entry);
        Some(value)
    }

    /// Keeps `value` under `key`, forgetting the oldest where there is no room.
    pub fn put(&mut self, key: K, value: V) {
        self.entries.retain(|(k, _)| *k != key);
        if self.entries.len() == self.limit {
            self.entries.remove(0);
        }
        self.entries.push((key, value));
    }

    /// Forgets everything.
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
