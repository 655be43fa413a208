"""The phones and tied states of PocketSphinx's acoustic model."""

import struct

# The `en-us` model's phones that are not fillers: ARPAbet without stress.
PHONES = set(
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z "
    "ZH".split()
)


def states_of_model(path):
    """Yields each tied state with its phone state, `AA_1`, from a binary model definition.

    The layout is described in the file's own header and in bin_mdef.c of PocketSphinx. A tied state
    that belongs to two phone states is an error: it could not be folded.
    """
    content = path.read_bytes()
    (description,) = struct.unpack_from("<i", content, 8)
    offset = 12 + description
    n_base, n_phones, n_states, _, n_senones, _, n_sequences, _, n_tree, _ = struct.unpack_from(
        "<10i", content, offset
    )
    offset += 40
    names, end = [], offset
    for _ in range(n_base):
        start, end = end, content.index(b"\0", end) + 1
        names.append(content[start : end - 1].decode())
    offset += (end - offset + 3) // 4 * 4 + 8 * n_tree
    phones = list(struct.iter_unpack("<ii4B", content[offset : offset + 12 * n_phones]))
    offset += 12 * n_phones + 4
    sequences = struct.unpack_from(f"<{n_sequences * n_states}H", content, offset)
    symbols = {}
    for number, (sequence, _, _, base, _, _) in enumerate(phones):
        name = names[number if number < n_base else base]
        for state in range(n_states):
            senone = sequences[sequence * n_states + state]
            symbol = f"{name}_{state + 1}"
            if symbols.setdefault(senone, symbol) != symbol:
                raise SystemExit(f"{path}: {senone} is tied across {symbols[senone]} and {symbol}")
    if len(symbols) != n_senones:
        raise SystemExit(f"{path}: expected {n_senones} tied states, found {len(symbols)}")
    yield from symbols.items()
