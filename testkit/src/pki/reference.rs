//! A reference for the verification of paths: random small PKIs as plain numbers, a verdict by trying every sequence of
//! their certificates, and the same PKIs as certificates. It shares no code with what it judges: the verdict never sees a
//! byte of DER.

use mesh_ca::{KeyAlgorithm, KeyPair};

use super::{Extension, Template, YEAR, der, extension, key, name, serial};

/// A certificate as far as its place in a path matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The number of its subject's name.
    pub subject: u8,
    /// The number of its issuer's name.
    pub issuer: u8,
    /// The number of its key.
    pub key: u8,
    /// The number of the key that signed it.
    pub signer: u8,
    /// cA of basicConstraints.
    pub is_ca: bool,
    /// keyCertSign of keyUsage.
    pub may_sign: bool,
    /// pathLenConstraint.
    pub path_len: Option<u64>,
    /// Whether it is valid: -1 has expired, 0 is valid, 1 is not valid yet.
    pub time: i8,
    /// Whether extKeyUsage is there, and if so allows servers.
    pub server: Option<bool>,
    /// An unknown critical extension.
    pub is_strange: bool,
    /// Constraints on trust domains: permitted, excluded.
    pub domains: (Vec<&'static str>, Vec<&'static str>),
    /// Constraints on DNS names: permitted, excluded.
    pub hosts: (Vec<&'static str>, Vec<&'static str>),
    /// A DNS name of an authority.
    pub host: Option<&'static str>,
}

/// A small PKI: one leaf, what the peer sends with it, and the anchors.
#[derive(Clone, Debug)]
pub struct Pki {
    /// The trust domain of the leaf.
    pub domain: &'static str,
    /// The leaf.
    pub leaf: Model,
    /// What the peer sends beside it, at most six.
    pub sent: Vec<Model>,
    /// The bundle.
    pub anchors: Vec<Model>,
}

impl Pki {
    /// Whether any sequence of certificates from the leaf to an anchor obeys all rules.
    pub fn is_accepted(&self) -> bool {
        if self.leaf.time != 0 || self.leaf.server == Some(false) || self.leaf.is_strange || self.leaf.is_ca {
            return false;
        }
        self.reaches_anchor(&mut vec![&self.leaf])
    }

    fn reaches_anchor<'p>(&'p self, path: &mut Vec<&'p Model>) -> bool {
        if self.anchors.iter().any(|anchor| self.is_complete(path, anchor)) {
            return true;
        }
        if path.len() > 8 {
            return false;
        }
        for next in &self.sent {
            let is_copy_of_anchor = self
                .anchors
                .iter()
                .any(|anchor| (anchor.subject, anchor.key) == (next.subject, next.key));
            if !is_copy_of_anchor && !path.contains(&next) {
                path.push(next);
                let is_reached = self.reaches_anchor(path);
                path.pop();
                if is_reached {
                    return true;
                }
            }
        }
        false
    }

    /// Every rule over a whole path.
    fn is_complete(&self, below: &[&Model], anchor: &Model) -> bool {
        let path: Vec<&Model> = below.iter().copied().chain([anchor]).collect();
        let are_linked = path
            .windows(2)
            .all(|pair| pair[0].issuer == pair[1].subject && pair[0].signer == pair[1].key);
        let are_distinct = path.iter().enumerate().all(|(at, one)| {
            path[at + 1..]
                .iter()
                .all(|other| (one.subject, one.key) != (other.subject, other.key))
        });
        let are_good = path[1..].iter().all(|issuer| {
            issuer.is_ca
                && issuer.may_sign
                && issuer.time == 0
                && issuer.server != Some(false)
                && !issuer.is_strange
        });
        let have_room = (1..path.len()).all(|at| {
            let between = path[1..at].iter().filter(|one| one.subject != one.issuer).count() as u64;
            path[at].path_len.is_none_or(|limit| between <= limit)
        });
        let are_allowed = (1..path.len()).all(|at| {
            (0..at)
                .filter(|below| *below == 0 || path[*below].subject != path[*below].issuer)
                .all(|below| self.allows(path[at], path[below], below == 0))
        });
        are_linked && are_distinct && are_good && have_room && are_allowed
    }

    /// Whether the constraints of an issuer allow the names of a certificate below it.
    fn allows(&self, issuer: &Model, below: &Model, is_leaf: bool) -> bool {
        let domain = |base: &str| match base.starts_with('.') {
            true => self.domain.len() > base.len() && self.domain.ends_with(base),
            false => self.domain == base,
        };
        let host_within = |host: &str, base: &str| host == base || host.ends_with(&format!(".{base}"));
        let (permitted, excluded) = &issuer.domains;
        let is_domain_allowed = !is_leaf
            || (!excluded.iter().any(|base| domain(base))
                && (permitted.is_empty() || permitted.iter().any(|base| domain(base))));
        let (permitted, excluded) = &issuer.hosts;
        let is_host_allowed = below.host.is_none_or(|host| {
            !excluded.iter().any(|base| host_within(host, base))
                && (permitted.is_empty() || permitted.iter().any(|base| host_within(host, base)))
        });
        is_domain_allowed && is_host_allowed
    }

    /// The chain in DER, leaf first.
    pub fn chain(&self, keys: &[KeyPair]) -> Vec<Vec<u8>> {
        let leaf = encode(&self.leaf, Some(self.domain), 0, keys);
        let sent = self.sent.iter().enumerate();
        std::iter::once(leaf)
            .chain(sent.map(|(number, model)| encode(model, None, number + 1, keys)))
            .collect()
    }

    /// The anchors in DER.
    pub fn bundle(&self, keys: &[KeyPair]) -> Vec<Vec<u8>> {
        let anchors = self.anchors.iter().enumerate();
        anchors
            .map(|(number, model)| encode(model, None, number + 100, keys))
            .collect()
    }
}

/// How many keys the models use.
pub const KEYS: u8 = 6;

/// The number of the leaf's own key.
const LEAF_KEY: u8 = KEYS - 1;

/// The keys of the models.
pub fn keys() -> Vec<KeyPair> {
    (0..KEYS)
        .map(|number| {
            let key = key(KeyAlgorithm::Ed25519, u64::from(number));
            std::sync::Arc::into_inner(key).expect("nobody else has it")
        })
        .collect()
}

fn encode(model: &Model, domain: Option<&str>, number: usize, keys: &[KeyPair]) -> Vec<u8> {
    let mut extensions = Vec::new();
    let mut names = Vec::new();
    if let Some(domain) = domain {
        names.push(extension::uri(&format!("spiffe://{domain}/w")));
        extensions.push(extension::key_usage(extension::DIGITAL_SIGNATURE));
        if model.is_ca {
            extensions.push(extension::basic_constraints(true, None));
        }
    } else {
        extensions.push(extension::basic_constraints(
            model.is_ca,
            model.path_len.filter(|_| model.is_ca),
        ));
        let usage: &[u8] = match model.may_sign {
            true => extension::SIGNS_CERTIFICATES,
            false => extension::DIGITAL_SIGNATURE,
        };
        extensions.push(extension::key_usage(usage));
    }
    names.extend(model.host.map(extension::dns));
    if !names.is_empty() {
        extensions.push(extension::subject_alt_name(&names));
    }
    match model.server {
        Some(true) => extensions.push(extension::extended_key_usage(&[extension::SERVER_AUTH])),
        Some(false) => extensions.push(extension::extended_key_usage(&[extension::EMAIL_PROTECTION])),
        None => {}
    }
    if model.is_strange {
        extensions.push(Extension {
            oid: "1.2.3.4",
            critical: true,
            value: der::value(0x05, &[]),
        });
    }
    let bases = |domains: &[&str], hosts: &[&str]| -> Vec<Vec<u8>> {
        let domains = domains.iter().map(|base| extension::uri(base));
        domains
            .chain(hosts.iter().map(|base| extension::dns(base)))
            .collect()
    };
    let permitted = bases(&model.domains.0, &model.hosts.0);
    let excluded = bases(&model.domains.1, &model.hosts.1);
    if !permitted.is_empty() || !excluded.is_empty() {
        extensions.push(extension::name_constraints(&permitted, &excluded));
    }
    let (not_before, not_after) = match model.time {
        -1 => (super::NOW - YEAR, super::NOW - 1),
        0 => (super::NOW, super::NOW),
        _ => (super::NOW + 1, super::NOW + YEAR),
    };
    let subject = match domain {
        Some(_) => name("leaf"),
        None => name(&format!("authority {}", model.subject)),
    };
    let template = Template {
        version: 3,
        serial: serial(&number.to_string()),
        issuer: name(&format!("authority {}", model.issuer)),
        subject,
        not_before,
        not_after,
        public_key: keys[usize::from(model.key)].public_key().der().to_vec(),
        extensions,
    };
    template.sign(&keys[usize::from(model.signer)])
}

/// A stream of numbers from a seed: SplitMix64.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// A number below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of some values.
    pub fn pick<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize].clone()
    }

    /// Another order.
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for at in (1..values.len()).rev() {
            values.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}

/// A random PKI: a good chain as its backbone, further certificates that cross it, and single faults.
pub fn random(random: &mut Random) -> Pki {
    let length = random.below(4) as u8;
    // Authority 0 is the anchor, and each next one is signed by the one before.
    let mut authorities: Vec<Model> = (0..=length)
        .map(|number| {
            authority(
                random,
                number,
                number,
                number.saturating_sub(1),
                number.saturating_sub(1),
            )
        })
        .collect();
    let mut anchors = vec![authorities.remove(0)];
    let mut sent = authorities;
    for _ in 0..random.below(4) {
        let (subject, key) = (random.below(4) as u8, random.below(4) as u8);
        let (issuer, signer) = (random.below(4) as u8, random.below(4) as u8);
        // Half of them cross the backbone with keys that belong to their names.
        let is_regular = random.once_in(2);
        let model = match is_regular {
            true => authority(random, subject, subject, issuer, issuer),
            false => authority(random, subject, key, issuer, signer),
        };
        match random.once_in(4) {
            true => anchors.push(model),
            false => sent.push(model),
        }
    }
    let mut leaf = authority(random, 255, LEAF_KEY, length, length);
    leaf.is_ca = random.once_in(40);
    leaf.path_len = None;
    leaf.may_sign = false;
    leaf.domains = Default::default();
    leaf.hosts = Default::default();
    random.shuffle(&mut sent);
    sent.truncate(6);
    Pki {
        domain: random.pick(&["td", "td", "sub.td"]),
        leaf,
        sent,
        anchors,
    }
}

fn authority(random: &mut Random, subject: u8, key: u8, issuer: u8, signer: u8) -> Model {
    let none = (Vec::new(), Vec::new());
    let mut constraints = |bases: &[&'static str]| match random.below(8) {
        0 => (vec![random.pick(bases)], Vec::new()),
        1 => (Vec::new(), vec![random.pick(bases)]),
        2 => (
            vec![random.pick(bases), random.pick(bases)],
            vec![random.pick(bases)],
        ),
        _ => none.clone(),
    };
    let domains = constraints(&["td", ".td", "sub.td", "other", ".other"]);
    let hosts = constraints(&["example.org", "a.example.org", "example.com"]);
    Model {
        subject,
        issuer,
        key,
        signer,
        is_ca: !random.once_in(30),
        may_sign: !random.once_in(30),
        path_len: random.once_in(4).then(|| random.below(3)),
        time: match random.below(24) {
            0 => -1,
            1 => 1,
            _ => 0,
        },
        server: match random.below(20) {
            0 => Some(false),
            1..=4 => Some(true),
            _ => None,
        },
        is_strange: random.once_in(40),
        domains,
        hosts,
        host: random
            .once_in(3)
            .then(|| random.pick(&["a.example.org", "example.org", "b.example.com"])),
    }
}
