//! WebSocket client of the manager, over any byte stream; messages.
