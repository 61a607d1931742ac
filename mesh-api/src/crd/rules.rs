//! The rules of the API server's layer (A-CR), and those on metadata that only it has (A-MET).

use crate::report::rules;

rules! {
    CR_2 "A-CR-2" Error "fields, types and enum names are those of the CRD, integers fit their width, and no list has `null` items";
    CR_10 "A-CR-10" Error "at most 16 targets; kind has 1 to 63 characters, name 1 to 253, group is a DNS name; no other namespace";
    CR_11 "A-CR-11" Error "matchLabels has at most 4096 entries, keys are not empty, values have at most 63 characters, no wildcards";
    CR_12 "A-CR-12" Error "labels of a workload selector: at most 256, values have at most 63 characters and no wildcard";
    CR_13 "A-CR-13" Error "an EnvoyFilter has targetRefs or a workloadSelector, not both";
    CR_14 "A-CR-14" Error "a patch matches a waypoint exactly when its context is WAYPOINT, and one kind of thing at most";
    CR_15 "A-CR-15" Error "the port of a waypoint match is 1 to 65535";
    CR_16 "A-CR-16" Error "a DestinationRule has a host, subsets and cookies have names, tunnels a target, warmup a duration";
    CR_17 "A-CR-17" Error "a duration is at least 1ms";
    CR_18 "A-CR-18" Error "an HTTP status that counts as an error is 100 to 599";
    CR_19 "A-CR-19" Error "the percent of a retry budget is 0 to 100";
    CR_20 "A-CR-20" Error "the smallest size of a cluster for zone-aware balancing is at least 1";
    CR_21 "A-CR-21" Error "the counts of outlier detection are 32-bit numbers from 0";
    CR_22 "A-CR-22" Error "one way to balance, one hash key, one hash algorithm";
    CR_23 "A-CR-23" Error "credentialNames and tlsCertificates have 1 or 2 items; credentialNames stands alone";
    CR_24 "A-CR-24" Error "a server has port and hosts, its port a number, a protocol and a name";
    CR_25 "A-CR-25" Error "a ServiceEntry has 1 to 256 hosts and no more than its bounds allow; ports have unique names and numbers";
    CR_26 "A-CR-26" Error "a workload has an address or a network, and stays within its bounds";
    CR_27 "A-CR-27" Error "a WorkloadGroup has a template, and at most one kind of probe, with what it needs";
    CR_28 "A-CR-28" Error "a VirtualService sets one member of each choice, and names the destinations and matches that it must";
    CR_29 "A-CR-29" Error "an AuthorizationPolicy has at most 512 rules, keys in conditions, and service accounts without principals";
    CR_30 "A-CR-30" Error "a JWT rule has one source of keys with an http(s) URL, and no empty names";
    CR_31 "A-CR-31" Error "modes of ports need a selector with labels, and ports are 1 to 65535";
    CR_32 "A-CR-32" Error "a Telemetry samples 0 to 100 percent, names its providers and tags, and sets a tag's value as its operation wants";
    CR_33 "A-CR-33" Error "a Wasm extension has a URL of a known scheme, a checksum of 64 hex digits, and bounded names and variables";
    CR_34 "A-CR-34" Error "a TrafficExtension has exactly one of wasm and lua; Lua code has 1 to 65536 characters";
    CR_35 "A-CR-35" Error "concurrency is at least 0, an environment variable has at most 2048 characters";
    CR_36 "A-CR-36" Error "a Sidecar's egress has hosts, its ingress a port, its egress proxy a host";
    CR_37 "A-CR-37" Error "a text that must have characters is not empty, or is left out";
    MET_4 "A-MET-4" Error "a name is an RFC 1123 subdomain of at most 253 characters, a namespace a label of at most 63";
    MET_5 "A-MET-5" Error "labels and annotations have the syntax of Kubernetes; all annotations have at most 256 KiB";
}
