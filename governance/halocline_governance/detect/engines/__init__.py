"""How texts become places worth a look: folded bytes, and engines that find anchors in them."""
