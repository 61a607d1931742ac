//! What must be true of any map of bundle documents.

use std::collections::{BTreeMap, BTreeSet};

use mesh_ca::{
    BundleDiff, BundleDocument, BundleSet, BundleUpdate, DocumentMode, Limits, TrustBundle, TrustDomain,
    X509Authority, bundle_map_from_json, bundle_map_to_json,
};

/// A map that is read says the same after it was written, whole and each bundle alone, as a document, in saved state and in
/// PEM; a set of its bundles gives each one back. The difference of two of its bundles, applied to the one, makes the other;
/// merging them does not depend on the order, and a newer one replaces an older one and not the other way round (C-BND-1..11).
pub fn bundle_map(bytes: &[u8]) {
    let limits = Limits::default();
    let read = |json: &[u8], mode| bundle_map_from_json(json, mode, &limits);
    let strict = read(bytes, DocumentMode::Strict);
    let Ok(map) = read(bytes, DocumentMode::Standard) else {
        assert!(strict.is_err(), "the stricter mode takes more");
        return;
    };
    if let Ok(strict) = strict {
        assert_eq!(strict, map);
        assert!(map.values().all(|document| document.notes.is_empty()));
    }
    let bundles = |map: &BTreeMap<TrustDomain, BundleDocument>| -> Vec<TrustBundle> {
        map.values().map(|document| document.bundle.clone()).collect()
    };
    let all = bundles(&map);
    assert!(map.keys().eq(all.iter().map(TrustBundle::trust_domain)));
    let written = bundle_map_to_json(&all);
    let again = read(written.as_bytes(), DocumentMode::Standard).expect("what is written can be read");
    assert_eq!(bundles(&again), all);
    assert_eq!(bundle_map_to_json(all.iter().rev()), written);
    let smaller = Limits {
        bundle_map: bytes.len() - 1,
        ..Limits::default()
    };
    assert!(bundle_map_from_json(bytes, DocumentMode::Standard, &smaller).is_err());

    all.iter().for_each(assert_kept);
    assert_set(&all);
    // A few of many, since there are as many pairs as the square of that.
    let few = &all[..all.len().min(4)];
    for (one, other) in few
        .iter()
        .flat_map(|one| few.iter().map(move |other| (one, other)))
    {
        let other = version_of(one.trust_domain(), other);
        assert_diff(one, &other);
        assert_update(one, &other);
        assert_merge(one, &other, &few[0]);
    }
}

/// The same content as a bundle of another trust domain.
fn version_of(domain: &TrustDomain, bundle: &TrustBundle) -> TrustBundle {
    let document = bundle.to_spiffe_json();
    let mode = DocumentMode::Standard;
    let read = TrustBundle::from_spiffe_json(domain.clone(), document.as_bytes(), mode, &Limits::default());
    read.expect("a document says nothing of its trust domain").bundle
}

/// However a bundle is kept, it stays the same.
fn assert_kept(bundle: &TrustBundle) {
    let limits = Limits::default();
    let domain = || bundle.trust_domain().clone();
    let saved = serde_json::to_string(bundle).expect("a bundle can be saved");
    assert_eq!(
        &serde_json::from_str::<TrustBundle>(&saved).expect("and read"),
        bundle
    );
    let document = bundle.to_spiffe_json();
    let read = TrustBundle::from_spiffe_json(domain(), document.as_bytes(), DocumentMode::Standard, &limits);
    let read = read.expect("a document of its own");
    assert_eq!((&read.bundle, read.bundle.to_spiffe_json()), (bundle, document));
    if !bundle.x509_authorities().is_empty() {
        let read =
            TrustBundle::from_pem(domain(), bundle.to_pem().as_bytes(), &limits).expect("PEM of its own");
        assert_eq!(read.x509_authorities(), bundle.x509_authorities());
    }
    for authority in bundle.x509_authorities().iter().take(8) {
        assert!(bundle.contains_x509(authority.der()));
        let mut fewer = bundle.clone();
        assert!(fewer.remove_x509(authority.der()) && !fewer.contains_x509(authority.der()));
        assert_eq!(fewer.insert_x509(authority.der()), Ok(true));
        assert_eq!(ders(fewer.x509_authorities()), ders(bundle.x509_authorities()));
    }
}

/// A set of bundles has each for its own trust domain, and none for another.
fn assert_set(all: &[TrustBundle]) {
    let Some((local, federated)) = all.split_first() else {
        return;
    };
    let mut set = BundleSet::new(local.clone());
    for bundle in federated {
        set.insert(bundle.clone()).expect("there are no aliases");
    }
    let saved = serde_json::to_string(&set).expect("a set can be saved");
    assert_eq!(serde_json::from_str::<BundleSet>(&saved).expect("and read"), set);
    for bundle in all {
        assert_eq!(set.bundle_for(bundle.trust_domain()), Some(bundle));
    }
    for bundle in federated {
        assert_eq!(set.remove(bundle.trust_domain()).as_ref(), Some(bundle));
        assert_eq!(set.bundle_for(bundle.trust_domain()), None);
    }
    assert_eq!(set, BundleSet::new(local.clone()));
}

/// What was added and removed, and what stayed, are the two bundles; the way back has the same parts the other way round.
fn assert_diff(old: &TrustBundle, new: &TrustBundle) {
    let diff = old.diff(new);
    let (before, after) = (ders(old.x509_authorities()), ders(new.x509_authorities()));
    let [added, kept, removed] = [&diff.added, &diff.kept, &diff.removed].map(|list| ders(list));
    assert_eq!(&before & &after, kept);
    assert_eq!(&after - &before, added);
    assert_eq!(&before - &after, removed);

    let mut applied = old.clone();
    for authority in &diff.removed {
        assert!(applied.remove_x509(authority.der()));
    }
    for authority in &diff.added {
        assert_eq!(applied.insert_x509(authority.der()), Ok(true));
    }
    for name in &diff.removed_keys {
        assert!(applied.jwt_mut().remove(name).is_some(), "{name}");
    }
    for name in &diff.added_keys {
        let key = new.jwt().key(name).expect("the newer one has it");
        assert!(
            applied.jwt_mut().insert(name.clone(), key.clone()).is_none(),
            "{name}"
        );
    }
    assert_eq!(ders(applied.x509_authorities()), after);
    assert_eq!(applied.jwt(), new.jwt());
    assert!(applied.diff(new).is_empty());
    assert_eq!(diff.is_empty(), before == after && old.jwt() == new.jwt());
    assert_eq!(
        (diff.sequence.from, diff.sequence.to),
        (old.sequence(), new.sequence())
    );

    let back = new.diff(old);
    let sides = |diff: &BundleDiff| (ders(&diff.added), ders(&diff.removed), ders(&diff.kept));
    let (added, removed, kept) = sides(&back);
    assert_eq!((removed, added, kept), sides(&diff));
    assert_eq!(
        (&back.removed_keys, &back.added_keys),
        (&diff.added_keys, &diff.removed_keys)
    );
    let saved = serde_json::to_string(&diff).expect("a difference can be saved");
    assert_eq!(
        serde_json::from_str::<BundleDiff>(&saved).expect("and read"),
        diff
    );
}

/// The sequence number decides which of two is the newer one (C-BND-8).
fn assert_update(held: &TrustBundle, new: &TrustBundle) {
    let mut updated = held.clone();
    let outcome = updated.update(new.clone());
    let is_older = matches!((held.sequence(), new.sequence()), (Some(held), Some(new)) if new < held);
    assert_eq!(outcome == BundleUpdate::Stale, is_older);
    assert_eq!(outcome == BundleUpdate::Unchanged, held == new);
    assert_eq!(&updated, if is_older { held } else { new });
    let is_same_number = held.sequence().is_some() && held.sequence() == new.sequence();
    let is_forgotten = outcome == BundleUpdate::SequenceNotBumped;
    assert_eq!(is_forgotten, is_same_number && held != new);
    let again = updated.clone().update(updated.clone());
    assert_eq!(again, BundleUpdate::Unchanged);
}

/// P7: merging is commutative, associative and idempotent.
fn assert_merge(one: &TrustBundle, other: &TrustBundle, third: &TrustBundle) {
    let merged = |parts: [&TrustBundle; 3]| {
        let mut result = parts[0].clone();
        result.merge(parts[1]);
        result.merge(parts[2]);
        result.x509_authorities().to_vec()
    };
    let expected = merged([one, other, third]);
    assert_eq!(merged([third, other, one]), expected);
    assert_eq!(merged([other, third, one]), expected);
    let mut nested = other.clone();
    nested.merge(third);
    assert_eq!(merged([one, &nested, one]), expected);
    let union = [one, other, third].map(|part| ders(part.x509_authorities()));
    assert_eq!(ders(&expected), &(&union[0] | &union[1]) | &union[2]);
    assert_eq!(ders(&expected).len(), expected.len(), "one is there twice");
}

fn ders(authorities: &[X509Authority]) -> BTreeSet<Vec<u8>> {
    authorities
        .iter()
        .map(|authority| authority.der().to_vec())
        .collect()
}
