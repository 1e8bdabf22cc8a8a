"""Words to name invented people and places of the Priangan with. Put together at random, they are nobody's."""

from __future__ import annotations

from random import Random

from domain.household import Sex

_FIRST = {
    Sex.MALE: (
        *("Asep", "Ujang", "Dede", "Cecep", "Agus", "Aang", "Endang", "Jajang", "Dadang", "Iwan", "Yayan", "Oman"),
        *("Encep", "Enjang", "Wawan", "Tatang", "Maman", "Aep", "Uus", "Ade", "Rahmat", "Deni", "Rizki", "Fajar"),
        *("Ilham", "Gilang", "Aceng", "Dudung", "Entis", "Nana", "Odang", "Usep"),
    ),
    Sex.FEMALE: (
        *("Euis", "Iis", "Imas", "Neneng", "Ai", "Enok", "Cucu", "Tati", "Entin", "Yayah", "Rina", "Nining"),
        *("Teti", "Elis", "Ecin", "Onah", "Popon", "Lilis", "Wiwin", "Yeni", "Siti", "Nenden", "Rini", "Salma"),
        *("Ima", "Kokom", "Mimin", "Oom", "Pipih", "Titin", "Uum", "Yoyoh"),
    ),
}
_SECOND = {
    Sex.MALE: (
        *("Sutisna", "Supriatna", "Hidayat", "Saepudin", "Rohimat", "Kurnia", "Suryana", "Mulyana", "Permana"),
        *("Hermawan", "Gunawan", "Solihin", "Nugraha", "Setiawan", "Rustandi", "Sobandi", "Suherman", "Rukmana"),
        *("Wahyudin", "Komarudin", "Jaelani", "Fauzi", "Ramdani", "Firmansyah", "Sopandi", "Rosidin", "Koswara"),
        *("Sanusi", "Muharam", "Kusnadi", "Taryana", "Wiguna", "Sudrajat", "Abdurohman"),
    ),
    Sex.FEMALE: (
        *("Rohaeti", "Komariah", "Aisah", "Masitoh", "Nurhayati", "Kurniasih", "Suryani", "Mulyani", "Permatasari"),
        *("Hasanah", "Rosmiati", "Solihat", "Nuraeni", "Maryati", "Sumiati", "Julaeha", "Rukmini", "Sukaesih"),
        *("Maesaroh", "Rostika", "Jubaedah", "Fatimah", "Rahmawati", "Fitriani", "Sopiah", "Rosidah", "Kartini"),
        *("Patonah", "Munawaroh", "Kusmiati", "Karwati", "Widaningsih", "Handayani", "Barokah"),
    ),
}
_THIRD = {
    Sex.MALE: ("Maulana", "Alfarizi", "Pratama", "Ramadan", "Saputra", "Hakim", "Akbar", "Ardiansyah"),
    Sex.FEMALE: ("Azzahra", "Nurlela", "Putri", "Ramadani", "Lestari", "Salsabila", "Khoerunisa", "Aulia"),
}
_THIRD_NAME_SINCE = 1995
_HAMLET_FIRST = ("Cikadu", "Pasir", "Babakan", "Sukasari", "Cibeureum", "Lebak", "Nangela", "Cipeucang", "Kubang")
_HAMLET_SECOND = ("Kidul", "Kaler", "Wetan", "Kulon", "Tengah", "Girang", "Hilir")


def person_name(rng: Random, sex: Sex, *, birth_year: int) -> str:
    """Two words, or three for some of the younger."""
    words = [rng.choice(_FIRST[sex]), rng.choice(_SECOND[sex])]
    if birth_year >= _THIRD_NAME_SINCE and rng.random() < 0.4:  # noqa: PLR2004  a share
        words.append(rng.choice(_THIRD[sex]))
    return " ".join(words)


def hamlet_names(rng: Random, *, count: int) -> tuple[str, ...]:
    """That many different names for the hamlets of a village, at most 63."""
    names = [f"{first} {second}" for first in _HAMLET_FIRST for second in _HAMLET_SECOND]
    return tuple(rng.sample(names, count))
