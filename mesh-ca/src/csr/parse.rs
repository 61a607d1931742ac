//! Taking a request apart, in the order of C-CSR-4 to C-CSR-9.

use super::CsrError;
use crate::der::{
    self, BIT_STRING, DerErrorKind, Element, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET,
    context_constructed,
};
use crate::signature::{parse_identifier, verify_signature};
use crate::{PublicKeyInfo, SignatureAlgorithm, SignatureVerifier, oid};

/// A request taken apart. Its signature, its attributes and its names are not judged yet.
pub(super) struct Parsed<'a> {
    pub(super) subject: Element<'a>,
    pub(super) public_key: PublicKeyInfo<'a>,
    attributes: Option<Element<'a>>,
    /// What is signed.
    info: &'a [u8],
    algorithm: SignatureAlgorithm,
    signature: &'a [u8],
}

impl<'a> Parsed<'a> {
    pub(super) fn new(der: &'a [u8]) -> Result<Self, CsrError> {
        // C-CSR-4
        der::check(der)?;
        let mut outer = der::single(der, SEQUENCE)?.reader()?;
        let info = outer.read(SEQUENCE)?;
        let algorithm = outer.read(SEQUENCE)?;
        let signature = outer.read(BIT_STRING)?.whole_bits()?;
        outer.finish()?;
        let mut fields = info.reader()?;
        let version = fields.read(INTEGER)?;
        let subject = fields.read(SEQUENCE)?;
        let public_key = fields.read(SEQUENCE)?.der;
        let attributes = fields.optional(context_constructed(0))?;
        fields.finish()?;
        // C-CSR-5 to C-CSR-7
        if version.content != [0] {
            return Err(CsrError::Version);
        }
        let public_key = PublicKeyInfo::parse(public_key).map_err(CsrError::PublicKey)?;
        let algorithm = parse_identifier(&algorithm).map_err(CsrError::Signature)?;
        Ok(Self {
            subject,
            public_key,
            attributes,
            info: info.der,
            algorithm,
            signature,
        })
    }

    /// Whoever made the request has the private key (C-CSR-7, C-CSR-8).
    pub(super) fn check_signature(&self, verifier: &dyn SignatureVerifier) -> Result<(), CsrError> {
        verify_signature(
            verifier,
            self.algorithm,
            &self.public_key,
            self.info,
            self.signature,
        )
        .map_err(CsrError::Signature)
    }

    /// The requested extensions, an Extensions SEQUENCE; nothing if none are requested (C-CSR-9).
    pub(super) fn extension_request(&self, ignored: &[String]) -> Result<Option<Element<'a>>, CsrError> {
        let Some(attributes) = &self.attributes else {
            return Err(CsrError::AttributesMissing);
        };
        let mut reader = attributes.reader()?;
        let mut others: Vec<&[u8]> = Vec::new();
        let mut previous = None;
        let (mut request, mut is_repeated) = (None, false);
        while !reader.is_empty() {
            let attribute = reader.read(SEQUENCE)?;
            // The field is a SET with another tag, so that the general check has not seen to its order.
            if previous.is_some_and(|previous| attribute.der < previous) {
                return Err(attribute.error(DerErrorKind::SetOrder).into());
            }
            previous = Some(attribute.der);
            let mut parts = attribute.reader()?;
            let oid = parts.read(OBJECT_IDENTIFIER)?.oid()?;
            let mut values = parts.nested(SET)?;
            parts.finish()?;
            match oid {
                oid::EXTENSION_REQUEST if request.is_some() => is_repeated = true,
                oid::EXTENSION_REQUEST => {
                    let value = values.any().map_err(|_| CsrError::ExtensionRequestValues)?;
                    if !values.is_empty() {
                        return Err(CsrError::ExtensionRequestValues);
                    }
                    request = Some(value);
                }
                other => {
                    let oid = oid::dotted(other);
                    if !ignored.contains(&oid) {
                        return Err(CsrError::AttributeNotAllowed { oid });
                    }
                    others.push(other);
                }
            }
        }
        others.sort_unstable();
        let repeated = others
            .iter()
            .zip(others.iter().skip(1))
            .find_map(|(a, b)| (a == b).then_some(*a));
        match repeated.or(is_repeated.then_some(oid::EXTENSION_REQUEST)) {
            Some(oid) => Err(CsrError::DuplicateAttribute {
                oid: oid::dotted(oid),
            }),
            None => Ok(request),
        }
    }
}

/// The object identifier and the value of a requested extension.
pub(super) type Requested<'a> = (&'a [u8], &'a [u8]);

/// The requested extensions.
pub(super) fn list<'a>(request: &Element<'a>) -> Result<Vec<Requested<'a>>, CsrError> {
    if request.tag != SEQUENCE {
        return Err(request.error(DerErrorKind::Unexpected).into());
    }
    let mut reader = request.reader()?;
    let mut list = Vec::new();
    while !reader.is_empty() {
        let mut extension = reader.nested(SEQUENCE)?;
        let oid = extension.read(OBJECT_IDENTIFIER)?.oid()?;
        extension.default_false()?;
        let value = extension.read(OCTET_STRING)?.content;
        extension.finish()?;
        list.push((oid, value));
    }
    if list.is_empty() {
        return Err(request.error(DerErrorKind::Truncated).into());
    }
    Ok(list)
}
