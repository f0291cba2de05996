use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const LAST: Key = Key::new(15);

fn members(set: &RangeSet) -> BTreeSet<u128> {
    (0..16).filter(|&key| set.contains(Key::new(key))).collect()
}

proptest! {
    #[test]
    fn behaves_as_a_set_of_keys(steps in proptest::collection::vec((any::<bool>(), 0u128..16, 0u128..16), 1..12)) {
        let mut set = RangeSet::default();
        let mut model = BTreeSet::new();
        for (insert, after, upto) in steps {
            let arc = Arc::new(Key::new(after), Key::new(upto));
            let keys = (0..16).filter(|&key| arc.contains(Key::new(key)));
            if insert {
                set.insert(arc, LAST);
                model.extend(keys);
            } else {
                set.remove(arc, LAST);
                keys.for_each(|key| { model.remove(&key); });
            }
            prop_assert_eq!(members(&set), model.clone());
            for a in 0..16 {
                for b in 0..16 {
                    let arc = Arc::new(Key::new(a), Key::new(b));
                    let all = (0..16).filter(|&key| arc.contains(Key::new(key))).all(|key| model.contains(&key));
                    prop_assert_eq!(set.covers(arc, LAST), all);
                }
            }
        }
    }
}
