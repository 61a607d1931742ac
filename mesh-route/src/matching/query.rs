//! Query parameters, raw.

/// The value of the first parameter called `name` (R-MATCH-11): names and values are compared as they stand, without
/// decoding; a parameter without `=` has the empty value.
///
/// ```
/// use mesh_route::matching::first_query_value;
///
/// assert_eq!(first_query_value(b"p=b&p=a", b"p"), Some(&b"b"[..]));
/// assert_eq!(first_query_value(b"x&p", b"p"), Some(&b""[..]));
/// assert_eq!(first_query_value(b"P=1", b"p"), None);
/// ```
pub fn first_query_value<'q>(query: &'q [u8], name: &[u8]) -> Option<&'q [u8]> {
    query.split(|byte| *byte == b'&').find_map(|parameter| {
        let end = parameter
            .iter()
            .position(|byte| *byte == b'=')
            .unwrap_or(parameter.len());
        let (found, rest) = parameter.split_at_checked(end)?;
        (found == name).then(|| rest.get(1..).unwrap_or_default())
    })
}
