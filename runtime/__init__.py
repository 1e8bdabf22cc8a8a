"""What every process needs beside its own work: settings, logging, the engine's client, the payload codec."""
