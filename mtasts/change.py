"""A change of a policy, as an operator asks for it: an old text and wishes in, a new text out."""

from typing import NamedTuple, Optional, Tuple

from mtasts import lint
from mtasts.domain import MXPattern
from mtasts.errors import MtastsError
from mtasts.finding import Finding
from mtasts.policy import Mode, Policy


class Wishes(NamedTuple):
    """What is to be different; None and () leave a thing as it is. `max_age` in seconds."""

    mode: Optional[Mode] = None
    max_age: Optional[int] = None
    mx: Tuple[MXPattern, ...] = ()
    add_mx: Tuple[MXPattern, ...] = ()
    remove_mx: Tuple[MXPattern, ...] = ()


def changed(old: bytes, wishes: Wishes) -> bytes:
    """The policy `old` with the `wishes` come true, in the careful form, with its line endings.

    The bytes stay as they are if nothing is different. Raises `InvalidPolicy` for an old or new
    policy that no sender takes, `MtastsError` if an mx to be removed is not in it.
    """
    policy = Policy.parse(old)
    mode = wishes.mode or policy.mode
    max_age = policy.max_age if wishes.max_age is None else wishes.max_age
    new = Policy(mode, max_age, _mx(wishes.mx or policy.mx, wishes))
    if new == policy:
        return old
    has_lf_only = b"\r\n" not in old
    return new.to_bytes().replace(b"\r\n", b"\n") if has_lf_only else new.to_bytes()


def _mx(mx: Tuple[MXPattern, ...], wishes: Wishes) -> Tuple[MXPattern, ...]:
    missing = [name for name in wishes.remove_mx if name not in mx]
    if missing:
        raise MtastsError(
            "mx-not-named",
            f"the policy has no line 'mx: {missing[0]}'",
            "It names " + (", ".join(mx) or "no mx") + ".",
        )
    named = tuple(dict.fromkeys(mx + wishes.add_mx))
    return tuple(name for name in named if name not in wishes.remove_mx)


def new_findings(old: bytes, new: bytes) -> Tuple[Finding, ...]:
    """What is to be said about `new` that was not to be said about `old`."""
    known = {(one.code, one.text) for one in lint.policy(old)}
    return tuple(one for one in lint.policy(new) if (one.code, one.text) not in known)
