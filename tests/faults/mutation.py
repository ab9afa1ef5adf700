"""Damage as files meet it: bytes flipped or cut off; numbers, words and lines exchanged; values of another type."""

import json
import re
from random import Random

NUMBERS = (
    '0',
    '-1',
    '1',
    '0.5',
    'nan',
    'inf',
    '-inf',
    '1e309',
    '99999999999',
    '-2147483649',
    '1e-320',
    '',
    'x',
    '１２',
    '0x10',
)
VALUES = (
    None,
    True,
    '',
    'x',
    '\x00',
    -1,
    0,
    1.5,
    10**18,
    float('inf'),
    float('nan'),
    [],
    [None],
    {},
    {'x': []},
    [[1, 2], [3]],
)
ENCODINGS = ('utf-8-sig', 'utf-16', 'utf-16-be', 'utf-32', 'cp037')
TOKEN = re.compile(r'-?\d+(?:\.\d+)?')
WORD = re.compile(r'\w+')


def in_bytes(data: bytes, random: Random) -> bytes:
    """Damage a file of any kind in one to four places."""
    content = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4))):
        start = random.randrange(len(content) + 1)
        end = min(len(content), start + random.choice((1, 1, 2, 8, 64, 1000)))
        match random.randrange(8):
            case 0 | 1 if start < end:
                content[start] ^= 1 << random.randrange(8)
            case 2:
                content[start:end] = random.randbytes(end - start)
            case 3:
                content[start:end] = bytes(end - start)
            case 4:
                content[start:end] = b'\xff' * (end - start)
            case 5:
                del content[start:end]
            case 6:
                content[start:start] = content[start:end] or b'\0'
            case _:
                del content[start:]
    return bytes(content)


def in_head(data: bytes, random: Random) -> bytes:
    """Damage the first 200 bytes, where most formats say how large everything is."""
    return in_bytes(data[:200], random) + data[200:]


def in_text(data: bytes, random: Random) -> bytes:
    """Exchange a number, a word or a line, write in another encoding, or damage bytes."""
    text = data.decode()
    match random.randrange(6):
        case 0:
            return in_bytes(data, random)
        case 1:
            return text.encode(random.choice(ENCODINGS), 'replace')
        case 2:
            lines = text.splitlines(keepends=True)
            return ''.join(random.choices(lines, k=random.choice((1, len(lines), 2 * len(lines))))).encode()
        case 3:
            return _exchange(
                text, WORD, random, [*NUMBERS, *WORD.findall(text), 'a' * 5000, 'é\u202e', '../../x', 'a\0b']
            )
        case _:
            return _exchange(text, TOKEN, random, NUMBERS)


def _exchange(text: str, pattern: re.Pattern, random: Random, values) -> bytes:
    found = list(pattern.finditer(text))
    if found:
        one = random.choice(found)
        text = text[: one.start()] + random.choice(values) + text[one.end() :]
    return text.encode('utf-8', 'surrogatepass')


def in_json(data: bytes, random: Random) -> bytes:
    """Exchange, remove or repeat one value, or damage the file as text."""
    return (in_text if random.random() < 0.4 else in_values)(data, random)


def in_values(data: bytes, random: Random) -> bytes:
    """Exchange, remove or repeat one or two values."""
    value = json.loads(data)
    for _ in range(random.choice((1, 1, 2))):
        retype(value, random)
    return json.dumps(value).encode()


def retype(value, random: Random) -> None:
    """Exchange, remove or repeat one value somewhere in nested dicts and lists, in place."""
    places = list(_places(value))
    holder, key = random.choice(places)
    match random.randrange(6):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, list):
            holder.append(holder[key])
        case 2:
            other, place = random.choice(places)
            holder[key] = json.loads(json.dumps(other[place]))
        case _:
            holder[key] = random.choice(VALUES)


def _places(value):
    """Yield every place in nested dicts and lists, those near the top as often as all the long lists far below."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield value, key
        if isinstance(item, dict | list):
            inner = list(_places(item))
            yield from inner if len(inner) < 40 else inner[:: len(inner) // 40]
