//! A list that only grows and is read without a lock.

use std::fmt;
use std::sync::OnceLock;

/// A list that only grows: reading takes no lock, adding takes that of the last place.
///
/// For a handful of elements that live as long as the program.
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

    /// The element that `is_it` finds; if there is none, what `make` makes, which `is_it` has to
    /// find, is added at the end.
    pub(crate) fn find_or_add(&self, is_it: impl Fn(&T) -> bool, make: impl Fn() -> T) -> &T {
        let mut list = self;
        loop {
            // Another thread may be faster, with this element or with another one.
            let node =
                list.first.get_or_init(|| Box::new(Node { element: make(), rest: Self::new() }));
            if is_it(&node.element) {
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
    fn threads_that_add_the_same_get_the_same() {
        let list = AppendList::new();
        let addresses = |order: &[u32]| {
            let place = |wanted: &u32| {
                let found = list.find_or_add(|known| known == wanted, || *wanted);
                assert_eq!(found, wanted);
                std::ptr::from_ref(found) as usize
            };
            let mut places: Vec<_> = order.iter().map(place).collect();
            places.sort_unstable();
            places
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
