//! A list that only grows and is read without a lock.

use std::fmt;
use std::sync::OnceLock;

/// A list that only grows.
///
/// Reading takes no lock. Adding locks the end of the list only. The list is meant for a few elements
/// that live as long as the program.
pub(crate) struct AppendList<T> {
    first: OnceLock<Box<Node<T>>>,
}

struct Node<T> {
    element: T,
    rest: AppendList<T>,
}

impl<T> AppendList<T> {
    pub(crate) const fn new() -> Self {
        Self { first: OnceLock::new() }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let nodes = std::iter::successors(self.first.get(), |node| node.rest.first.get());
        nodes.map(|node| &node.element)
    }

    /// Returns the first element that matches. If there is none, adds the element that `make` returns,
    /// which must match.
    pub(crate) fn find_or_add(&self, matches: impl Fn(&T) -> bool, make: impl Fn() -> T) -> &T {
        let mut list = self;
        loop {
            // Another thread may have added an element, the wanted one or a different one.
            let node =
                list.first.get_or_init(|| Box::new(Node { element: make(), rest: Self::new() }));
            if matches(&node.element) {
                return &node.element;
            }
            list = &node.rest;
        }
    }
}

impl<T> Default for AppendList<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for AppendList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_add_equal_elements_share_them() {
        let list = AppendList::new();
        let addresses = |order: &[u32]| {
            let address = |wanted: &u32| {
                let found = list.find_or_add(|known| known == wanted, || *wanted);
                assert_eq!(found, wanted);
                std::ptr::from_ref(found) as usize
            };
            let mut addresses: Vec<_> = order.iter().map(address).collect();
            addresses.sort_unstable();
            addresses
        };
        let all: Vec<_> = std::thread::scope(|scope| {
            let orders = [[1, 2, 3, 4], [4, 3, 2, 1], [2, 4, 1, 3], [3, 1, 4, 2]];
            let threads = orders.map(|order| scope.spawn(move || addresses(&order)));
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
        let mut elements: Vec<_> = list.iter().copied().collect();
        elements.sort_unstable();
        assert_eq!(elements, [1, 2, 3, 4]);
    }
}
