//! The story: what happens, when, and whether workloads of the two domains accept each other.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use mesh_ca::federation::{EndpointProfile, Relationship};
use mesh_ca::{MonotonicTime, Now, SpiffeId, UnixTime};

use crate::domain::{Domain, Endpoints, HINT};

const SHOP_URL: &str = "https://spire.shop.example/bundle";
const BANK_URL: &str = "https://bank.example/.well-known/spiffe/bundle";

struct Story<'o, W> {
    out: &'o mut W,
    start: Now,
    now: Now,
    shop: Domain,
    bank: Domain,
}

/// Tells it.
pub(crate) fn tell(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut story = begin(out)?;
    story.say("two trust domains, each with an authority and a bundle endpoint")?;
    story.meet()?;

    story.say("each fetches the bundle of the other")?;
    story.refresh()?;
    story.meet()?;
    let token = story.bank.token("/ns/pay/sa/teller", "shop", story.now)?;
    let verdict = story.shop.verdict_on_token(&token, "shop", story.now);
    story.line(&verdict)?;

    story.say("bank publishes a second root beside the first, and does not use it yet")?;
    let (next, usable_from) = story.bank.prepare_root(story.now)?;
    story.meet()?;

    story.pass(HINT)?;
    story.refresh()?;
    story.say("the root is too young to be used: a consumer may have missed two polls")?;
    story.pass(usable_from.saturating_since(story.now.wall))?;
    story.refresh()?;
    story.say("every consumer has had the time to fetch it: bank issues with the new root")?;
    story.bank.activate(next);
    story.meet()?;

    let too_early = story.bank.retire_old_roots(story.now);
    story.line(&match too_early {
        Ok(()) => "the first root left".to_owned(),
        Err(error) => format!("the first root cannot leave: {error}"),
    })?;

    story.pass(Duration::from_secs(24 * 3_600 + 1))?;
    story.say("the last SVID of the first root has run out: the root leaves the bundle")?;
    story.bank.retire_old_roots(story.now)?;
    story.refresh()?;
    story.meet()?;

    story.say("shop ends the relationship")?;
    let bank = story.bank.name.clone();
    story.shop.client.remove(&bank);
    story.refresh()?;
    story.meet()
}

fn begin<W: Write>(out: &mut W) -> Result<Story<'_, W>, Box<dyn Error>> {
    let now = Now::new(UnixTime::from_secs(1_800_000_000), MonotonicTime::ORIGIN);
    let bank_by_web = Relationship {
        trust_domain: "bank.example".parse()?,
        endpoint_url: BANK_URL.parse()?,
        profile: EndpointProfile::HttpsWeb,
    };
    let shop = Domain::new("shop.example", 1, [bank_by_web], now)?;
    // The other way round the endpoint proves a SPIFFE id; the first bundle was handed over by people.
    let shop_by_spiffe = Relationship {
        trust_domain: shop.name.clone(),
        endpoint_url: SHOP_URL.parse()?,
        profile: EndpointProfile::HttpsSpiffe {
            endpoint_id: SpiffeId::from_path(&shop.name, "/spire/server")?,
            initial_bundle: Some(shop.publisher.bundle().clone()),
        },
    };
    let bank = Domain::new("bank.example", 2, [shop_by_spiffe], now)?;
    Ok(Story {
        out,
        start: now,
        now,
        shop,
        bank,
    })
}

impl<W: Write> Story<'_, W> {
    /// A new chapter.
    fn say(&mut self, text: &str) -> Result<(), Box<dyn Error>> {
        let since = self.now.mono.saturating_since(self.start.mono).as_secs();
        let (hours, minutes) = (since / 3_600, since / 60 % 60);
        Ok(writeln!(self.out, "{hours:>3}:{minutes:02}  {text}")?)
    }

    fn line(&mut self, text: &str) -> Result<(), Box<dyn Error>> {
        Ok(writeln!(self.out, "          {text}")?)
    }

    /// A workload of each side tries the other.
    fn meet(&mut self) -> Result<(), Box<dyn Error>> {
        let cart = self.shop.workload("/ns/web/sa/cart", self.now)?;
        let teller = self.bank.workload("/ns/pay/sa/teller", self.now)?;
        let verdicts = [
            self.bank.verdict_on(&cart, self.now)?,
            self.shop.verdict_on(&teller, self.now)?,
        ];
        verdicts.iter().try_for_each(|verdict| self.line(verdict))
    }

    /// Both clients do what is due.
    fn refresh(&mut self) -> Result<(), Box<dyn Error>> {
        let mut endpoints = Endpoints::new();
        let server = self.shop.workload("/spire/server", self.now)?;
        endpoints.insert(SHOP_URL.to_owned(), (self.shop.document(), server));
        let server = self.bank.workload("/web", self.now)?;
        endpoints.insert(BANK_URL.to_owned(), (self.bank.document(), server));
        let mut lines = self.shop.refresh(self.now, &endpoints)?;
        lines.extend(self.bank.refresh(self.now, &endpoints)?);
        lines.iter().try_for_each(|line| self.line(line))
    }

    fn pass(&mut self, time: Duration) -> Result<(), Box<dyn Error>> {
        self.now = self.now + time;
        Ok(())
    }
}
