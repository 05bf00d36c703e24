"""Audit entries as sentences. Each verb has one; an unknown one is shown as it is."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import AuditEntry

VERBS: dict[str, str] = {
    "verdict.given": gettext_noop("%(who)s answered “%(answer)s” on %(what)s: %(predicted)s → %(labelled)s"),
    "verdict.undone": gettext_noop("%(who)s took back “%(answer)s” on %(what)s"),
    "picture.seen": gettext_noop("%(who)s looked at the picture of %(what)s"),
    "event.opened": gettext_noop("%(who)s opened %(what)s until %(ends_at)s: %(reason)s"),
    "site.opened": gettext_noop("%(who)s opened all events of %(what)s until %(ends_at)s: %(reason)s"),
    "event.read": gettext_noop("%(who)s read %(what)s over the API"),
    "original.downloaded": gettext_noop("%(who)s downloaded the original %(what)s"),
    "original.damaged": gettext_noop("%(who)s asked for the original %(what)s, which is not what was stored"),
    "thumbnails.seen": gettext_noop("%(who)s looked through a page of events of %(what)s"),
    "claim.taken": gettext_noop("%(who)s took %(what)s"),
    "claim.renewed": gettext_noop("%(who)s took up %(what)s again, after the claim had run out"),
    "claim.released": gettext_noop("%(who)s gave %(what)s back"),
    "hold.expired": gettext_noop("Nobody answered %(what)s by %(deadline_at)s: the machine did “%(fallback)s”"),
    "claim.expired": gettext_noop("The claim of %(holder)s on %(what)s ran out at %(expired_at)s; %(who)s noticed"),
    "events.read": gettext_noop("%(who)s read a page of %(count)s events of %(what)s over the API"),
    "verdicts.read": gettext_noop("%(who)s read %(count)s outcomes of %(what)s over the API"),
    "search.made": gettext_noop("%(who)s searched %(area)s: %(filter)s"),
    "audit.exported": gettext_noop("%(who)s exported %(count)s audit entries as %(format)s (%(filter)s): %(purpose)s"),
    "attempt.refused": gettext_noop("%(who)s was refused (%(code)s) at %(route)s"),
    "attempts.refused": gettext_noop("%(who)s was refused (%(code)s) %(count)s more times at %(route)s"),
    "system.started": gettext_noop("Second Look %(version)s started"),
    "system.stopped": gettext_noop("Second Look %(version)s stopped"),
    "system.migrated": gettext_noop("The database was brought to version %(version)s: %(applied)s"),
    "system.backed_up": gettext_noop("A backup was taken: %(backup)s, %(sealed)s entries sealed, %(files)s files"),
    "files.checked": gettext_noop("%(files)s stored files were checked; %(problems)s are not what was stored"),
    "files.damage_seen": gettext_noop("%(count)s damaged files were marked as looked after"),
    "system.restored": gettext_noop("The backup %(backup)s of %(taken_at)s was restored, %(sealed)s entries sealed"),
    "item.skipped": gettext_noop("%(who)s put off %(what)s until %(until)s"),
    "item.escalated": gettext_noop("%(who)s escalated %(what)s to %(to)s"),
    "item.snoozed": gettext_noop("%(who)s put off %(what)s until %(until)s, to have it back then"),
    "item.handed_back": gettext_noop("%(who)s handed %(what)s back to %(to)s"),
    "verdict.reopened": gettext_noop("%(who)s opened %(what)s again, answered by %(by)s: %(reason)s"),
    "policy.published": gettext_noop("%(who)s published version %(version)s of the policy of %(what)s: %(reason)s"),
    "policy.bands_changed": gettext_noop("%(who)s changed review bands of %(what)s: %(bands)s (%(reason)s)"),
    "grant.given": gettext_noop("%(who)s made %(what)s %(role)s (%(where)s): %(reason)s"),
    "grant.changed": gettext_noop("%(who)s changed a role of %(what)s: %(was)s → %(becomes)s (%(reason)s)"),
    "grant.extended": gettext_noop("Single sign-on moved the end of %(count)s roles of %(what)s"),
    "grant.taken_back": gettext_noop("%(who)s took the role %(role)s (%(where)s) from %(what)s: %(why)s"),
    "token.issued": gettext_noop("%(who)s issued the personal token %(what)s: %(scopes)s, until %(ends_at)s"),
    "token.revoked": gettext_noop("%(who)s revoked the personal token %(what)s: %(reason)s"),
    "site.created": gettext_noop("%(who)s created the site %(what)s"),
    "site.changed": gettext_noop("%(who)s changed the site %(what)s"),
    "camera.changed": gettext_noop("%(who)s renamed the camera %(what)s"),
    "camera.retired": gettext_noop("%(who)s retired the camera %(what)s: %(reason)s"),
    "camera.restored": gettext_noop("%(who)s brought the camera %(what)s back"),
    "camera.created": gettext_noop("%(who)s created the camera %(what)s"),
    "queue.changed": gettext_noop("%(who)s changed the queue %(what)s"),
    "queue.created": gettext_noop("%(who)s created the queue %(what)s"),
    "source.created": gettext_noop("%(who)s created the source %(what)s"),
    "source.rotated": gettext_noop("%(who)s gave %(what)s a new token; the old one works until %(old_until)s"),
    "source.bounded": gettext_noop("%(who)s changed how fast the source %(what)s may post"),
    "source.renamed": gettext_noop("%(who)s renamed the source %(what)s"),
    "source.clone_noticed": gettext_noop("two devices seem to post as %(what)s: %(clue)s"),
    "source.clone_dismissed": gettext_noop("%(who)s said why two devices seemed to post as %(what)s: %(reason)s"),
    "source.revoked": gettext_noop("%(who)s revoked the source %(what)s"),
    "model.registered": gettext_noop("%(who)s registered the model version %(what)s"),
    "taxonomy.created": gettext_noop("%(who)s created the taxonomy %(what)s"),
    "class.added": gettext_noop("%(who)s added the class %(name)s (index %(index)s) to %(what)s"),
    "guide.written": gettext_noop("%(who)s wrote version %(version)s of the guide of %(what)s"),
    "guide.seen": gettext_noop("%(who)s looked at the examples in the guide of %(what)s"),
    "example.added": gettext_noop("%(who)s put an example of %(name)s into the guide of %(what)s"),
    "example.removed": gettext_noop("%(who)s took an example of %(name)s out of the guide of %(what)s"),
    "class.changed": gettext_noop("%(who)s changed the class %(name)s of %(what)s: %(before)s → %(after)s"),
    "queue.retired": gettext_noop("%(who)s retired the queue %(what)s: %(reason)s"),
    "queue.restored": gettext_noop("%(who)s took the queue %(what)s back into use"),
    "site.retired": gettext_noop("%(who)s retired the site %(what)s: %(reason)s"),
    "site.restored": gettext_noop("%(who)s took the site %(what)s back into use"),
    "attribute.defined": gettext_noop("%(who)s said which values %(attribute)s of %(name)s has in %(what)s"),
    "attribute.retired": gettext_noop("%(who)s retired the attribute %(attribute)s of %(name)s in %(what)s"),
    "class.retired": gettext_noop("%(who)s retired the class %(name)s (index %(index)s) of %(what)s"),
    "class.restored": gettext_noop("%(who)s took the class %(name)s (index %(index)s) of %(what)s back into use"),
    "name.mapped": gettext_noop("%(who)s said that the %(cause)s “%(value)s” is %(target)s"),
    "word.mapped": gettext_noop("%(who)s said that “%(value)s” is %(target)s when the model %(model)s says it"),
    "word.unmapped": gettext_noop(
        "%(who)s took back that “%(value)s” is %(target)s when the model %(model)s says it: %(reason)s"
    ),
    "name.unmapped": gettext_noop("%(who)s took back that the %(cause)s “%(value)s” is %(target)s: %(reason)s"),
    "retention.changed": gettext_noop("%(who)s changed how long evidence is kept: %(reason)s"),
    "retention.removed": gettext_noop("%(files)s files of evidence were removed by the rules of retention"),
    "legal_hold.set": gettext_noop("%(who)s put %(what)s under a legal hold: %(reason)s"),
    "legal_hold.lifted": gettext_noop("%(who)s lifted the legal hold on %(what)s: %(reason)s"),
    "mapping.resolved": gettext_noop(
        "%(who)s mapped the %(cause)s %(value)s at %(what)s; %(events)s events came through"
    ),
    "upload.started": gettext_noop("%(who)s began the upload %(what)s (%(kind)s, %(model)s)"),
    "upload.sent": gettext_noop("%(who)s sent %(what)s: %(files)s files, %(bytes)s bytes"),
    "upload.finished": gettext_noop("%(what)s is done: %(taken)s events were made, %(left_out)s pictures left out"),
    "upload.failed": gettext_noop("%(what)s failed: %(why)s"),
    "upload.cancelled": gettext_noop("%(who)s cancelled %(what)s; %(taken)s events were made before"),
    "release.frozen": gettext_noop("%(who)s froze the selection of %(what)s"),
    "release.ready": gettext_noop("%(what)s was built and verified"),
    "release.rebuilt": gettext_noop("%(who)s had %(what)s built again"),
    "release.failed": gettext_noop("%(what)s could not be built"),
    "workstation.shared": gettext_noop("%(who)s made a computer the shared workstation %(what)s"),
    "workstation.changed": gettext_noop("%(who)s changed the workstation %(what)s: %(before)s → %(after)s"),
    "workstation.retired": gettext_noop("%(who)s retired the workstation %(what)s"),
    "pin.set": gettext_noop("%(who)s set a PIN at %(where)s, good until %(ends_at)s"),
    "pin.refused": gettext_noop("A PIN of %(who)s was typed wrong at %(where)s, the try number %(tries)s"),
    "pin.voided": gettext_noop("The PIN of %(who)s at %(where)s became void: %(why)s"),
    "badge.registered": gettext_noop("%(who)s registered the badge “%(badge)s” of %(what)s"),
    "badge.revoked": gettext_noop("%(who)s revoked the badge “%(badge)s” of %(what)s"),
    "badge.refused": gettext_noop("An unknown badge was refused at %(what)s"),
    "session.locked": gettext_noop("The screen of %(who)s locked at %(where)s (%(why)s)"),
    "session.unlocked": gettext_noop("%(who)s unlocked the screen at %(where)s with %(unlocked_with)s"),
    "session.handed_over": gettext_noop("%(who)s took over %(where)s from %(before)s with %(unlocked_with)s"),
    "release.downloaded": gettext_noop("%(who)s downloaded %(file)s of %(what)s"),
    "person.created": gettext_noop("%(who)s created the account of %(what)s"),
    "person.renamed": gettext_noop("%(who)s renamed %(before)s to %(after)s: %(reason)s"),
    "person.deactivated": gettext_noop("%(who)s deactivated the account of %(what)s: %(reason)s"),
    "person.reactivated": gettext_noop("%(who)s reactivated the account of %(what)s: %(reason)s"),
    "seal.key_changed": gettext_noop("%(who)s began to sign the log with another key: %(after)s"),
    "seal.row_dropped": gettext_noop("%(kind)s %(row)s waited to be sealed in vain: %(why)s"),
    "seal.row_unreadable": gettext_noop("%(kind)s %(row)s cannot be read, so it is not sealed"),
    "seal.anchor_failed": gettext_noop("A checkpoint could not be left at the anchor %(anchor)s: %(why)s"),
    "seal.anchor_back": gettext_noop("The anchor %(anchor)s takes checkpoints again"),
    "audit.verified": gettext_noop("%(who)s verified %(entries)s entries of the log and found %(problems)s problems"),
    "person.changed": gettext_noop("%(who)s changed the account of %(what)s: %(fields)s"),
    "sessions.ended": gettext_noop("%(who)s ended %(count)s sessions of %(what)s: %(reason)s"),
    "session.ended": gettext_noop("%(who)s ended one session of %(what)s (%(address)s)"),
    "person.signed_in": gettext_noop("%(who)s signed in (%(methods)s)"),
    "person.signed_out": gettext_noop("%(who)s signed out"),
    "sign_in.failed": gettext_noop("Somebody failed to sign in as %(what)s (%(method)s)"),
    "password.changed": gettext_noop("%(who)s changed the password of %(what)s"),
    "factor.added": gettext_noop("%(who)s added a factor to %(what)s: %(factor)s"),
    "factor.removed": gettext_noop("%(who)s removed a factor from %(what)s: %(factor)s"),
    "identity.linked": gettext_noop("%(who)s linked %(what)s to an identity of %(issuer)s"),
    "identity.unlinked": gettext_noop("%(who)s undid the link of %(what)s to %(issuer)s"),
    "invitation.made": gettext_noop("%(who)s invited %(what)s as %(role)s (%(scope)s)"),
    "invitation.used": gettext_noop("%(who)s used the invitation for %(what)s"),
    "invitation.revoked": gettext_noop("%(who)s revoked the link for %(what)s"),
    "reset.made": gettext_noop("%(who)s made a password link for %(what)s: %(reason)s"),
    "reset.used": gettext_noop("%(who)s set a new password with a link"),
    "sign_in_rules.changed": gettext_noop(
        "%(who)s changed which roles need a second factor: %(before)s → %(after)s (%(reason)s)"
    ),
    "mapping.made": gettext_noop("%(who)s mapped the group %(group)s to %(role)s (%(scope)s): %(reason)s"),
    "mapping.ended": gettext_noop(
        "%(who)s ended the mapping of the group %(group)s to %(role)s (%(scope)s): %(reason)s"
    ),
    "grant.kept": gettext_noop(
        "%(what)s keeps the role %(role)s though the group is gone: somebody must administer everything"
    ),
}


# What people may say why for; the reason ends the sentence.
WITH_REASON = {"item.skipped", "item.snoozed", "item.handed_back", "item.escalated"}
# Codes that facts hold, in the words of the pages.
WORDS: dict[str, str] = {
    "bad_image": gettext_noop("bad picture"),
    "empty": gettext_noop("nothing here"),
    "ml_engineer": gettext_noop("ML engineer"),
    "fleet_engineer": gettext_noop("fleet engineer"),
}


class Facts(dict[str, Any]):
    """The facts of an entry; one that is missing reads as a dash."""

    def __missing__(self, key: str) -> str:
        return "–"


def sentence(entry: AuditEntry) -> str:
    """What an entry says, in plain words."""
    facts = Facts({key: plain(value) for key, value in (entry.additional_data or {}).items()})
    facts = Facts({key: shortened(value) for key, value in facts.items()})
    facts["who"] = who(entry)
    facts["what"] = shortened(entry.object_repr, 80)
    template = VERBS.get(entry.verb)
    if template and entry.verb in WITH_REASON and facts.get("note"):
        return _("%(sentence)s: %(note)s") % {"sentence": _(template) % facts, "note": facts["note"]}
    return _(template) % facts if template else f"{facts['who']}: {entry.verb} {entry.object_repr}"


def who(entry: AuditEntry) -> str:
    """Who acted, by the name of that time; what no person did is the system's, a source's or a stranger's."""
    then = entry.circumstances or {}
    if entry.actor_id:
        return str(then.get("name") or then.get("username") or entry.actor)
    if entry.verb.startswith(("attempt.", "attempts.")):
        return _("Somebody at %s") % (entry.remote_addr or _("an unknown address"))
    return _("A source") if "source" in then else _("The system")


def shortened(text: str, most: int = 160) -> str:
    """A text cut in its midst where it is too long for a sentence; the entry's own page has all of it."""
    return text if len(text) <= most else f"{text[: most * 2 // 3]} … {text[-most // 4 :]}"


def instant(text: str) -> datetime | None:
    """An ISO instant as facts hold it; None for any other text."""
    if len(text) < len("2026-11-23T08:15:30+00:00") or text[4] != "-":
        return None
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and timezone.is_aware(moment) else None


def plain(value: Any) -> str:
    """A JSON value in words: lists with commas, pairs with a space, band changes with an arrow."""
    if value is None or value == []:
        return _("nothing")
    if isinstance(value, dict) and {"before", "after"} <= value.keys():
        return f"{value.get('class', '')} {plain(value['before'])} → {plain(value['after'])}".strip()
    if isinstance(value, float):
        # Rounded first: Django's formatter cuts.
        return formats.number_format(round(value, 2), decimal_pos=2)
    if isinstance(value, str) and (moment := instant(value)):
        return formats.date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")
    if isinstance(value, list):
        return plain_list(value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(one)}" for key, one in value.items()) or _("nothing")
    return _(WORDS[value]) if value in WORDS else str(value)


def plain_list(values: list[Any]) -> str:
    """A list in words; what is there several times is counted: `person ×8, truck`."""
    if all(isinstance(value, str) for value in values):
        counted = Counter(values)
        return ", ".join(plain(value) if many == 1 else f"{plain(value)} ×{many}" for value, many in counted.items())
    nested = any(isinstance(value, list | dict) for value in values)
    return (", " if nested else " ").join(plain(value) for value in values)
