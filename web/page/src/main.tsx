import { render } from "preact";

import { Page } from "./page";
import { app } from "./session/app";
import { applyTheme } from "./ui/device";
import { guardFocus } from "./ui/focus-guard";
import { closePopups } from "./ui/popups";
import "./styles/index.css";

applyTheme();
guardFocus();
closePopups();
app.start();
const root = document.getElementById("page");
if (root) render(<Page />, root);
