<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE" sourcelanguage="en">
<context>
    <name>samtta</name>
    <message>
        <source> % of objects</source>
        <translation> % der Objekte</translation>
    </message>
    <message>
        <source> MB</source>
        <translation> MB</translation>
    </message>
    <message>
        <source> pixels</source>
        <translation> Pixel</translation>
    </message>
    <message>
        <source> pt</source>
        <translation> pt</translation>
    </message>
    <message>
        <source>"auto", "cpu", "openvino", "cuda", "cuda:1" or "mps"</source>
        <translation>„auto“, „cpu“, „openvino“, „cuda“, „cuda:1“ oder „mps“</translation>
    </message>
    <message>
        <source>"auto", "on" or "off"</source>
        <translation>„auto“, „on“ oder „off“</translation>
    </message>
    <message>
        <source>"system", "en" or "de"</source>
        <translation>„system“, „en“ oder „de“</translation>
    </message>
    <message>
        <source>"system", "light" or "dark"</source>
        <translation>„system“, „light“ oder „dark“</translation>
    </message>
    <message>
        <source>"zoom" or "scroll"</source>
        <translation>„zoom“ oder „scroll“</translation>
    </message>
    <message>
        <source>&amp;Brightness</source>
        <translation>&amp;Helligkeit</translation>
    </message>
    <message>
        <source>&amp;Class</source>
        <translation>&amp;Klasse</translation>
    </message>
    <message>
        <source>&amp;Contrast</source>
        <translation>&amp;Kontrast</translation>
    </message>
    <message>
        <source>&amp;Draw</source>
        <translation>&amp;Zeichnen</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>&amp;Bearbeiten</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>&amp;Datei</translation>
    </message>
    <message>
        <source>&amp;Gamma</source>
        <translation>&amp;Gamma</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>&amp;Image</source>
        <translation>B&amp;ild</translation>
    </message>
    <message>
        <source>&amp;Learning</source>
        <translation>&amp;Lernen</translation>
    </message>
    <message>
        <source>&amp;Masks</source>
        <translation>&amp;Masken</translation>
    </message>
    <message>
        <source>&amp;Opacity</source>
        <translation>D&amp;eckkraft</translation>
    </message>
    <message>
        <source>&amp;Propose</source>
        <translation>&amp;Vorschlagen</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>&amp;Ansicht</translation>
    </message>
    <message>
        <source>0 (control)</source>
        <translation>0 (Kontrolle)</translation>
    </message>
    <message>
        <source>0 or 1</source>
        <translation>0 oder 1</translation>
    </message>
    <message>
        <source>0 to 1 bit</source>
        <translation>0 bis 1 Bit</translation>
    </message>
    <message>
        <source>1 - mask area / area of its convex hull (figure 6 of Segment Anything)</source>
        <translation>1 - Maskenfläche / Fläche ihrer konvexen Hülle (Abbildung 6 von Segment Anything)</translation>
    </message>
    <message>
        <source>1 answer</source>
        <translation>1 Antwort</translation>
    </message>
    <message>
        <source>1 difference</source>
        <translation>1 Unterschied</translation>
    </message>
    <message>
        <source>1 file</source>
        <translation>1 Datei</translation>
    </message>
    <message>
        <source>1 folder with images</source>
        <translation>1 Ordner mit Bildern</translation>
    </message>
    <message>
        <source>1 image</source>
        <translation>1 Bild</translation>
    </message>
    <message>
        <source>1 image: {counted}</source>
        <translation>1 Bild: {counted}</translation>
    </message>
    <message>
        <source>1 more outline of this object kept</source>
        <translation>1 weiterer Umriss dieses Objekts behalten</translation>
    </message>
    <message>
        <source>1 new image in the folder</source>
        <translation>1 neues Bild im Ordner</translation>
    </message>
    <message>
        <source>1 object</source>
        <translation>1 Objekt</translation>
    </message>
    <message>
        <source>85 % not reached</source>
        <translation>85 % nicht erreicht</translation>
    </message>
    <message>
        <source>90 % not reached</source>
        <translation>90 % nicht erreicht</translation>
    </message>
    <message>
        <source>95 % interval</source>
        <translation>95-%-Intervall</translation>
    </message>
    <message>
        <source>A class needs a name</source>
        <translation>Eine Klasse braucht einen Namen</translation>
    </message>
    <message>
        <source>A class that is not ticked has the name of one that is</source>
        <translation>Eine nicht angekreuzte Klasse heißt wie eine angekreuzte</translation>
    </message>
    <message>
        <source>A comment on this object</source>
        <translation>Ein Kommentar zu diesem Objekt</translation>
    </message>
    <message>
        <source>A file of SAM 2 needs the package sam2, which is not installed</source>
        <translation>Eine Datei von SAM 2 braucht das Paket sam2, das nicht installiert ist</translation>
    </message>
    <message>
        <source>A file of the project has a second name (a hard link) elsewhere</source>
        <translation>Eine Datei des Projekts hat anderswo einen zweiten Namen (eine harte Verknüpfung)</translation>
    </message>
    <message>
        <source>A file that samtta does not know, so there is no hash to compare it with: {path}</source>
        <translation>Eine Datei, die samtta nicht kennt; es gibt keine Prüfsumme zum Vergleich: {path}</translation>
    </message>
    <message>
        <source>A file, or a folder of files</source>
        <translation>Eine Datei oder ein Ordner mit Dateien</translation>
    </message>
    <message>
        <source>A folder or an image can also be dropped on this window.</source>
        <translation>Ein Ordner oder ein Bild lässt sich auch auf dieses Fenster ziehen.</translation>
    </message>
    <message>
        <source>A longer pause counts as so long in an object's time</source>
        <translation>Eine längere Pause zählt in der Zeit eines Objekts nur so lang</translation>
    </message>
    <message>
        <source>A mask answers. Left click what is missing, right click what is too much, or draw a box around the object.</source>
        <translation>Eine Maske antwortet. Linksklick auf das, was fehlt, Rechtsklick auf das, was zu viel ist, oder einen Rahmen um das Objekt ziehen.</translation>
    </message>
    <message>
        <source>A name, or a path to a weights file</source>
        <translation>Ein Name oder ein Pfad zu einer Gewichtsdatei</translation>
    </message>
    <message>
        <source>A part of the TIFF file claims {width} x {height} pixels where {across} x {down} belong</source>
        <translation>Ein Teil der TIFF-Datei nennt {width} x {height} Pixel, wo {across} x {down} hingehören</translation>
    </message>
    <message>
        <source>A part of the image file is damaged ({value})</source>
        <translation>Ein Teil der Bilddatei ist beschädigt ({value})</translation>
    </message>
    <message>
        <source>A part of the project is {kind}</source>
        <translation>Ein Teil des Projekts ist {kind}</translation>
    </message>
    <message>
        <source>A polygon has at most {most:,} corners</source>
        <translation>Ein Polygon hat höchstens {most:,} Ecken</translation>
    </message>
    <message>
        <source>A project belongs to one machine, and this folder is on a network share ({kind})</source>
        <translation>Ein Projekt gehört zu einem Rechner, und dieser Ordner liegt auf einer Netzwerkfreigabe ({kind})</translation>
    </message>
    <message>
        <source>A project cannot be made here: {why}</source>
        <translation>Hier lässt sich kein Projekt anlegen: {why}</translation>
    </message>
    <message>
        <source>A project has at least one class</source>
        <translation>Ein Projekt hat mindestens eine Klasse</translation>
    </message>
    <message>
        <source>A search is under way: wait for its end, or stop it</source>
        <translation>Eine Suche läuft: ihr Ende abwarten oder sie anhalten</translation>
    </message>
    <message>
        <source>About samtta</source>
        <translation>Über samtta</translation>
    </message>
    <message>
        <source>Accept</source>
        <translation>Übernehmen</translation>
    </message>
    <message>
        <source>Accept all from</source>
        <translation>Alle übernehmen ab</translation>
    </message>
    <message>
        <source>Accept and next image</source>
        <translation>Übernehmen und nächstes Bild</translation>
    </message>
    <message>
        <source>Accept as an ignore region</source>
        <translation>Als ignorierten Bereich übernehmen</translation>
    </message>
    <message>
        <source>Accept every shown proposal of at least this confidence, in one step that can be undone</source>
        <translation>Jeden gezeigten Vorschlag mit mindestens dieser Sicherheit übernehmen; ein Schritt, der sich zurücknehmen lässt</translation>
    </message>
    <message>
        <source>Accept objects: each one is answered again from its first click, with learning and by the original model, and compared.</source>
        <translation>Objekte übernehmen: Jedes wird ab dem ersten Klick noch einmal beantwortet, mit Lernen und vom Originalmodell, und verglichen.</translation>
    </message>
    <message>
        <source>Accept or cancel the mask on the screen first</source>
        <translation>Zuerst die gezeigte Maske übernehmen oder abbrechen</translation>
    </message>
    <message>
        <source>Accept the proposal</source>
        <translation>Vorschlag übernehmen</translation>
    </message>
    <message>
        <source>Accept the proposals inside, reject them; a click chooses one</source>
        <translation>Vorschläge darin übernehmen oder ablehnen; ein Klick wählt einen</translation>
    </message>
    <message>
        <source>Accept, as Enter does</source>
        <translation>Übernehmen, wie Enter</translation>
    </message>
    <message>
        <source>Accepted</source>
        <translation>Übernommen</translation>
    </message>
    <message>
        <source>Accepted by {name}</source>
        <translation>Übernommen von {name}</translation>
    </message>
    <message>
        <source>Accepted objects</source>
        <translation>Übernommene Objekte</translation>
    </message>
    <message>
        <source>Accepted objects; RITM's clicker replayed them both ways</source>
        <translation>Übernommene Objekte; der Klicker von RITM hat sie auf beide Arten nachgespielt</translation>
    </message>
    <message>
        <source>Action</source>
        <translation>Aktion</translation>
    </message>
    <message>
        <source>Actual size</source>
        <translation>Originalgröße</translation>
    </message>
    <message>
        <source>Add a class</source>
        <translation>Klasse hinzufügen</translation>
    </message>
    <message>
        <source>Add a file…</source>
        <translation>Datei hinzufügen…</translation>
    </message>
    <message>
        <source>Add a weights file from disk</source>
        <translation>Gewichtsdatei vom Datenträger hinzufügen</translation>
    </message>
    <message>
        <source>Adding {name}</source>
        <translation>{name} hinzufügen</translation>
    </message>
    <message>
        <source>Agreement of both annotators</source>
        <translation>Übereinstimmung beider Projekte</translation>
    </message>
    <message>
        <source>Agreement with the other annotator…</source>
        <translation>Übereinstimmung mit dem anderen Projekt…</translation>
    </message>
    <message>
        <source>Agreement with {other}</source>
        <translation>Übereinstimmung mit {other}</translation>
    </message>
    <message>
        <source>Agreement written to {path}</source>
        <translation>Übereinstimmung geschrieben nach {path}</translation>
    </message>
    <message>
        <source>Alike</source>
        <translation>Ähnliche</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>All attempts</source>
        <translation>Alle Versuche</translation>
    </message>
    <message>
        <source>All attempts: an object that was given up counts as failed.</source>
        <translation>Alle Versuche: Ein aufgegebenes Objekt zählt als gescheitert.</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Alle Dateien (*)</translation>
    </message>
    <message>
        <source>All images</source>
        <translation>Alle Bilder</translation>
    </message>
    <message>
        <source>All objects</source>
        <translation>Alle Objekte</translation>
    </message>
    <message>
        <source>Also masks at the image's border</source>
        <translation>Auch Masken am Bildrand</translation>
    </message>
    <message>
        <source>Alt+{number} shows this one, Tab the next</source>
        <translation>Alt+{number} zeigt diese, Tab die nächste</translation>
    </message>
    <message>
        <source>Always</source>
        <translation>Immer</translation>
    </message>
    <message>
        <source>An accepted object is being changed: Enter stores it, Esc leaves it as it was</source>
        <translation>Ein übernommenes Objekt wird geändert: Enter speichert es, Esc lässt es, wie es war</translation>
    </message>
    <message>
        <source>An image is gone, so its own rows are not known</source>
        <translation>Ein Bild ist weg, daher sind seine eigenen Zeilen nicht bekannt</translation>
    </message>
    <message>
        <source>An image's own rows are not known: {why}</source>
        <translation>Die eigenen Zeilen eines Bildes sind nicht bekannt: {why}</translation>
    </message>
    <message>
        <source>An import needs the name of its source</source>
        <translation>Ein Import braucht den Namen seiner Quelle</translation>
    </message>
    <message>
        <source>An object cannot be read ({where}): {reason}</source>
        <translation>Ein Objekt ist nicht lesbar ({where}): {reason}</translation>
    </message>
    <message>
        <source>An object cannot have {least_area} pixels</source>
        <translation>Ein Objekt kann nicht {least_area} Pixel haben</translation>
    </message>
    <message>
        <source>Annotated</source>
        <translation>Annotiert</translation>
    </message>
    <message>
        <source>Another class</source>
        <translation>Andere Klasse</translation>
    </message>
    <message>
        <source>Another colour…</source>
        <translation>Andere Farbe…</translation>
    </message>
    <message>
        <source>Another download is under way</source>
        <translation>Ein anderer Download läuft</translation>
    </message>
    <message>
        <source>Another export is under way</source>
        <translation>Ein anderer Export läuft</translation>
    </message>
    <message>
        <source>Another export is writing into this folder</source>
        <translation>Ein anderer Export schreibt in diesen Ordner</translation>
    </message>
    <message>
        <source>Another file than {title} has its name already</source>
        <translation>Eine andere Datei als {title} trägt schon den Namen</translation>
    </message>
    <message>
        <source>Another mask</source>
        <translation>Andere Maske</translation>
    </message>
    <message>
        <source>Another mask may fit better: about {gain}</source>
        <translation>Eine andere Maske passt vielleicht besser: etwa {gain}</translation>
    </message>
    <message>
        <source>Another note</source>
        <translation>Andere Notiz</translation>
    </message>
    <message>
        <source>Answer with this model from now on</source>
        <translation>Von nun an mit diesem Modell antworten</translation>
    </message>
    <message>
        <source>Apache License 2.0. Qt and PySide6 are used under the LGPL-3.0; you may replace their libraries.</source>
        <translation>Apache-Lizenz 2.0. Qt und PySide6 werden unter der LGPL-3.0 verwendet; ihre Bibliotheken dürfen ersetzt werden.</translation>
    </message>
    <message>
        <source>Area</source>
        <translation>Fläche</translation>
    </message>
    <message>
        <source>Area in pixels</source>
        <translation>Fläche in Pixeln</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Ask it</source>
        <translation>Fragen</translation>
    </message>
    <message>
        <source>Ask the larger model</source>
        <translation>Das größere Modell fragen</translation>
    </message>
    <message>
        <source>Asking the original model…</source>
        <translation>Das Originalmodell wird gefragt…</translation>
    </message>
    <message>
        <source>Attributes</source>
        <translation>Attribute</translation>
    </message>
    <message>
        <source>Attributes and comment</source>
        <translation>Attribute und Kommentar</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Back to the original model</source>
        <translation>Zurück zum Originalmodell</translation>
    </message>
    <message>
        <source>Back to version {version}</source>
        <translation>Zurück zu Version {version}</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>Blau</translation>
    </message>
    <message>
        <source>Blue (3)</source>
        <translation>Blau (3)</translation>
    </message>
    <message>
        <source>Blue and orange in place of green and red</source>
        <translation>Blau und Orange statt Grün und Rot</translation>
    </message>
    <message>
        <source>Both</source>
        <translation>Beide</translation>
    </message>
    <message>
        <source>Both sides are judged on the accepted masks, which the adapted decoder helped to make. That favours learning: read a small lead with care. Control objects compare without this.</source>
        <translation>Beide Seiten werden an den übernommenen Masken gemessen, bei denen der angepasste Decoder geholfen hat. Das begünstigt das Lernen: Einen kleinen Vorsprung mit Vorsicht lesen. Kontrollobjekte vergleichen ohne dies.</translation>
    </message>
    <message>
        <source>Boxes of a detector</source>
        <translation>Rahmen eines Detektors</translation>
    </message>
    <message>
        <source>Boxes of a detector…</source>
        <translation>Rahmen eines Detektors…</translation>
    </message>
    <message>
        <source>Boxes…</source>
        <translation>Rahmen…</translation>
    </message>
    <message>
        <source>Brightness</source>
        <translation>Helligkeit</translation>
    </message>
    <message>
        <source>Brightness and masks</source>
        <translation>Helligkeit und Masken</translation>
    </message>
    <message>
        <source>Brightness and masks…</source>
        <translation>Helligkeit und Masken…</translation>
    </message>
    <message>
        <source>Brought back</source>
        <translation>Zurückgeholt</translation>
    </message>
    <message>
        <source>Brush</source>
        <translation>Pinsel</translation>
    </message>
    <message>
        <source>By hand</source>
        <translation>Von Hand</translation>
    </message>
    <message>
        <source>By name</source>
        <translation>Nach Namen</translation>
    </message>
    <message>
        <source>C&amp;hannel</source>
        <translation>K&amp;anal</translation>
    </message>
    <message>
        <source>COCO detections (*.json);;All files (*)</source>
        <translation>COCO-Erkennungen (*.json);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>COCO was not exported: {strerror}</source>
        <translation>COCO wurde nicht exportiert: {strerror}</translation>
    </message>
    <message>
        <source>COCO: a JSON file of instances</source>
        <translation>COCO: eine JSON-Datei mit Instanzen</translation>
    </message>
    <message>
        <source>COCO: one JSON file with polygons</source>
        <translation>COCO: eine JSON-Datei mit Polygonen</translation>
    </message>
    <message>
        <source>COCO: one JSON file with run lengths</source>
        <translation>COCO: eine JSON-Datei mit Lauflängen</translation>
    </message>
    <message>
        <source>CVAT for images: an XML file</source>
        <translation>CVAT für Bilder: eine XML-Datei</translation>
    </message>
    <message>
        <source>CVAT for images: one XML file with masks</source>
        <translation>CVAT für Bilder: eine XML-Datei mit Masken</translation>
    </message>
    <message>
        <source>CVAT for images: one XML file with polygons</source>
        <translation>CVAT für Bilder: eine XML-Datei mit Polygonen</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Cancel the export</source>
        <translation>Export abbrechen</translation>
    </message>
    <message>
        <source>Cannot be read</source>
        <translation>Nicht lesbar</translation>
    </message>
    <message>
        <source>Change by a second pass</source>
        <translation>Änderung durch zweiten Durchgang</translation>
    </message>
    <message>
        <source>Change the selected object</source>
        <translation>Gewähltes Objekt ändern</translation>
    </message>
    <message>
        <source>Changed</source>
        <translation>Geändert</translation>
    </message>
    <message>
        <source>Changed by learning</source>
        <translation>Durch Lernen geändert</translation>
    </message>
    <message>
        <source>Channel</source>
        <translation>Kanal</translation>
    </message>
    <message>
        <source>Channel {number} is not shown.</source>
        <translation>Kanal {number} wird nicht gezeigt.</translation>
    </message>
    <message>
        <source>Channel {number} of {channels} is shown.</source>
        <translation>Kanal {number} von {channels} wird gezeigt.</translation>
    </message>
    <message>
        <source>Channels {first} to {last} are not shown.</source>
        <translation>Die Kanäle {first} bis {last} werden nicht gezeigt.</translation>
    </message>
    <message>
        <source>Check</source>
        <translation>Prüfen</translation>
    </message>
    <message>
        <source>Check its rights</source>
        <translation>Die Rechte prüfen</translation>
    </message>
    <message>
        <source>Check network and proxy (HTTPS_PROXY).</source>
        <translation>Netz und Proxy prüfen (HTTPS_PROXY).</translation>
    </message>
    <message>
        <source>Check the disk and its free space</source>
        <translation>Den Datenträger und seinen freien Platz prüfen</translation>
    </message>
    <message>
        <source>Check the file and its folder's rights</source>
        <translation>Die Datei und die Rechte ihres Ordners prüfen</translation>
    </message>
    <message>
        <source>Check the file and its rights</source>
        <translation>Die Datei und ihre Rechte prüfen</translation>
    </message>
    <message>
        <source>Check the folder's rights and the disk</source>
        <translation>Die Rechte des Ordners und den Datenträger prüfen</translation>
    </message>
    <message>
        <source>Check the path</source>
        <translation>Den Pfad prüfen</translation>
    </message>
    <message>
        <source>Checking {title}</source>
        <translation>{title} prüfen</translation>
    </message>
    <message>
        <source>Choose a class</source>
        <translation>Klasse wählen</translation>
    </message>
    <message>
        <source>Choose a folder that was annotated with samtta</source>
        <translation>Einen mit samtta annotierten Ordner wählen</translation>
    </message>
    <message>
        <source>Choose a folder with images ({kinds})</source>
        <translation>Einen Ordner mit Bildern wählen ({kinds})</translation>
    </message>
    <message>
        <source>Choose a multiple of 32 from {least} to {most}</source>
        <translation>Ein Vielfaches von 32 zwischen {least} und {most} wählen</translation>
    </message>
    <message>
        <source>Choose a multiple of {step} from {least} to {size}</source>
        <translation>Ein Vielfaches von {step} zwischen {least} und {size} wählen</translation>
    </message>
    <message>
        <source>Choose a project of the same images</source>
        <translation>Ein Projekt mit denselben Bildern wählen</translation>
    </message>
    <message>
        <source>Choose a weights file</source>
        <translation>Gewichtsdatei wählen</translation>
    </message>
    <message>
        <source>Choose an official file of SAM 2 or 2.1: tiny, small, base_plus or large</source>
        <translation>Eine offizielle Datei von SAM 2 oder 2.1 wählen: tiny, small, base_plus oder large</translation>
    </message>
    <message>
        <source>Choose an official file of SAM, MobileSAM, HQ-SAM or SAM 2</source>
        <translation>Eine offizielle Datei von SAM, MobileSAM, HQ-SAM oder SAM 2 wählen</translation>
    </message>
    <message>
        <source>Choose an official file of SAM, MobileSAM, HQ-SAM or SAM 2, or one fine-tuned from it</source>
        <translation>Eine offizielle Datei von SAM, MobileSAM, HQ-SAM oder SAM 2 wählen, oder eine daraus nachtrainierte</translation>
    </message>
    <message>
        <source>Choose another</source>
        <translation>Etwas anderes wählen</translation>
    </message>
    <message>
        <source>Choose another file</source>
        <translation>Eine andere Datei wählen</translation>
    </message>
    <message>
        <source>Choose another folder</source>
        <translation>Einen anderen Ordner wählen</translation>
    </message>
    <message>
        <source>Choose another format, or upright masks</source>
        <translation>Ein anderes Format oder aufrechte Masken wählen</translation>
    </message>
    <message>
        <source>Choose another image in the list</source>
        <translation>Ein anderes Bild in der Liste wählen</translation>
    </message>
    <message>
        <source>Choose another model file</source>
        <translation>Eine andere Modelldatei wählen</translation>
    </message>
    <message>
        <source>Choose another one</source>
        <translation>Ein anderes wählen</translation>
    </message>
    <message>
        <source>Choose another project folder</source>
        <translation>Einen anderen Projektordner wählen</translation>
    </message>
    <message>
        <source>Choose files that end in {names}</source>
        <translation>Dateien wählen, die auf {names} enden</translation>
    </message>
    <message>
        <source>Choose more points, fewer layers, or a smaller downscale</source>
        <translation>Mehr Punkte, weniger Ebenen oder eine geringere Verkleinerung wählen</translation>
    </message>
    <message>
        <source>Choose the folder that holds them</source>
        <translation>Den Ordner wählen, der sie enthält</translation>
    </message>
    <message>
        <source>Choose the folder where they are now: the project remembers it</source>
        <translation>Den Ordner wählen, in dem sie jetzt sind: Das Projekt merkt ihn sich</translation>
    </message>
    <message>
        <source>Choose the folder with data.yaml</source>
        <translation>Den Ordner mit data.yaml wählen</translation>
    </message>
    <message>
        <source>Choose the project of another annotator</source>
        <translation>Ein anderes Projekt wählen</translation>
    </message>
    <message>
        <source>Choose {low:g} to {high:g}</source>
        <translation>{low:g} bis {high:g} wählen</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Auswählen…</translation>
    </message>
    <message>
        <source>Class</source>
        <translation>Klasse</translation>
    </message>
    <message>
        <source>Class 1</source>
        <translation>Klasse 1</translation>
    </message>
    <message>
        <source>Class 2</source>
        <translation>Klasse 2</translation>
    </message>
    <message>
        <source>Class 3</source>
        <translation>Klasse 3</translation>
    </message>
    <message>
        <source>Class 4</source>
        <translation>Klasse 4</translation>
    </message>
    <message>
        <source>Class 5</source>
        <translation>Klasse 5</translation>
    </message>
    <message>
        <source>Class 6</source>
        <translation>Klasse 6</translation>
    </message>
    <message>
        <source>Class 7</source>
        <translation>Klasse 7</translation>
    </message>
    <message>
        <source>Class 8</source>
        <translation>Klasse 8</translation>
    </message>
    <message>
        <source>Class 9</source>
        <translation>Klasse 9</translation>
    </message>
    <message>
        <source>Class of the object</source>
        <translation>Klasse des Objekts</translation>
    </message>
    <message>
        <source>Class of the objects here</source>
        <translation>Klasse der Objekte hier</translation>
    </message>
    <message>
        <source>Class without a name</source>
        <translation>Klasse ohne Namen</translation>
    </message>
    <message>
        <source>Class {number}</source>
        <translation>Klasse {number}</translation>
    </message>
    <message>
        <source>Classes</source>
        <translation>Klassen</translation>
    </message>
    <message>
        <source>Classes (*.json *.txt);;All files (*)</source>
        <translation>Klassen (*.json *.txt);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Classes from a file</source>
        <translation>Klassen aus einer Datei</translation>
    </message>
    <message>
        <source>Classes from a file…</source>
        <translation>Klassen aus einer Datei…</translation>
    </message>
    <message>
        <source>Classes into a file</source>
        <translation>Klassen in eine Datei</translation>
    </message>
    <message>
        <source>Classes into a file…</source>
        <translation>Klassen in eine Datei…</translation>
    </message>
    <message>
        <source>Click again, or press Esc</source>
        <translation>Noch einmal klicken oder Esc drücken</translation>
    </message>
    <message>
        <source>Click an object and accept its mask; the decoder learns from it while you go on.</source>
        <translation>Ein Objekt anklicken und seine Maske übernehmen; der Decoder lernt daraus, während die Arbeit weitergeht.</translation>
    </message>
    <message>
        <source>Click an object in the image.
Accept its mask, and it is listed here.</source>
        <translation>Ein Objekt im Bild anklicken.
Ist seine Maske übernommen, steht es hier.</translation>
    </message>
    <message>
        <source>Click an object, or drag a box around it</source>
        <translation>Ein Objekt anklicken oder einen Rahmen darum ziehen</translation>
    </message>
    <message>
        <source>Click into an object</source>
        <translation>In ein Objekt klicken</translation>
    </message>
    <message>
        <source>Click on an object first</source>
        <translation>Zuerst auf ein Objekt klicken</translation>
    </message>
    <message>
        <source>Click on an object first: plausible outlines are drawn for an answer</source>
        <translation>Zuerst auf ein Objekt klicken: Plausible Umrisse gelten einer Antwort</translation>
    </message>
    <message>
        <source>Click on an object or select one: the map is of what its mask teaches</source>
        <translation>Auf ein Objekt klicken oder eines wählen: Die Karte zeigt, was seine Maske lehrt</translation>
    </message>
    <message>
        <source>Click on an object: the map is of the answer to it</source>
        <translation>Auf ein Objekt klicken: Die Karte gilt der Antwort darauf</translation>
    </message>
    <message>
        <source>Click on the image</source>
        <translation>Auf das Bild klicken</translation>
    </message>
    <message>
        <source>Click on the object</source>
        <translation>Auf das Objekt klicken</translation>
    </message>
    <message>
        <source>Click on the objects, or cut the image into parts</source>
        <translation>Auf die Objekte klicken, oder das Bild in Teile schneiden</translation>
    </message>
    <message>
        <source>Click or draw to change the selected object; Delete removes it, Esc lets it go</source>
        <translation>Klicken oder zeichnen ändert das gewählte Objekt; Entf entfernt es, Esc lässt es los</translation>
    </message>
    <message>
        <source>Click to set corners, the first one closes; drag corners, right-click takes one away; P goes back to clicks</source>
        <translation>Klicken setzt Ecken, die erste schließt; Ecken ziehen, Rechtsklick nimmt eine weg; P führt zurück zu Klicks</translation>
    </message>
    <message>
        <source>Click with the polygon</source>
        <translation>Klick mit dem Polygon</translation>
    </message>
    <message>
        <source>Clicks</source>
        <translation>Klicks</translation>
    </message>
    <message>
        <source>Clicks per object</source>
        <translation>Klicks je Objekt</translation>
    </message>
    <message>
        <source>Clicks per object over the stream</source>
        <translation>Klicks je Objekt im Verlauf</translation>
    </message>
    <message>
        <source>Clicks that made it, and after a + the steps by hand</source>
        <translation>Klicks, aus denen es entstand, und hinter einem + die Schritte von Hand</translation>
    </message>
    <message>
        <source>Clicks to 85 % fit</source>
        <translation>Klicks bis 85 % Passung</translation>
    </message>
    <message>
        <source>Clicks to 90 % fit</source>
        <translation>Klicks bis 90 % Passung</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Close it there first</source>
        <translation>Es zuerst dort schließen</translation>
    </message>
    <message>
        <source>Close other programs and try again; if that does not help, choose a smaller model or the device cpu</source>
        <translation>Andere Programme schließen und noch einmal versuchen; hilft das nicht, ein kleineres Modell oder das Gerät cpu wählen</translation>
    </message>
    <message>
        <source>Close other programs or cut it up</source>
        <translation>Andere Programme schließen oder das Bild zerteilen</translation>
    </message>
    <message>
        <source>Close other programs, or choose a smaller model</source>
        <translation>Andere Programme schließen oder ein kleineres Modell wählen</translation>
    </message>
    <message>
        <source>Close the programs that use it, and check the folder's rights</source>
        <translation>Die Programme schließen, die sie verwenden, und die Rechte des Ordners prüfen</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>Farbe</translation>
    </message>
    <message>
        <source>Comment</source>
        <translation>Kommentar</translation>
    </message>
    <message>
        <source>Compare its hash (sha256) with the known one</source>
        <translation>Seine Prüfsumme (sha256) mit der bekannten vergleichen</translation>
    </message>
    <message>
        <source>Compare with another project…</source>
        <translation>Mit anderem Projekt vergleichen…</translation>
    </message>
    <message>
        <source>Compare with the original model (hold)</source>
        <translation>Mit dem Originalmodell vergleichen (halten)</translation>
    </message>
    <message>
        <source>Comparing with the original</source>
        <translation>Vergleicht mit dem Original</translation>
    </message>
    <message>
        <source>Comparing with {folder}…</source>
        <translation>Vergleicht mit {folder}…</translation>
    </message>
    <message>
        <source>Comparing…</source>
        <translation>Vergleicht…</translation>
    </message>
    <message>
        <source>Confidence</source>
        <translation>Sicherheit</translation>
    </message>
    <message>
        <source>Confidence against the true fit</source>
        <translation>Sicherheit gegen die wahre Passung</translation>
    </message>
    <message>
        <source>Confidence is off by {off} on average, by {before} before it is corrected ({answers}). Masks that need a second look: {review}</source>
        <translation>Die Sicherheit liegt im Mittel um {off} daneben, um {before} vor der Korrektur ({answers}). Masken, die einen zweiten Blick brauchen: {review}</translation>
    </message>
    <message>
        <source>Confidence {share}: how well the mask is expected to fit</source>
        <translation>Sicherheit {share}: wie gut die Maske voraussichtlich passt</translation>
    </message>
    <message>
        <source>Connected parts; pixels that touch at a corner are connected</source>
        <translation>Zusammenhängende Teile; Pixel, die sich an einer Ecke berühren, hängen zusammen</translation>
    </message>
    <message>
        <source>Contrast</source>
        <translation>Kontrast</translation>
    </message>
    <message>
        <source>Control</source>
        <translation>Kontrolle</translation>
    </message>
    <message>
        <source>Control objects</source>
        <translation>Kontrollobjekte</translation>
    </message>
    <message>
        <source>Control objects were answered by the original model, by a draw that the user did not see until the accept. Differences are with learning minus control, with a 95 % interval. A given-up object counts with 20 clicks.</source>
        <translation>Kontrollobjekte beantwortet das Originalmodell, nach einem Los, das bis zur Übernahme verborgen bleibt. Unterschiede sind mit Lernen minus Kontrolle, mit 95-%-Intervall. Ein aufgegebenes Objekt zählt mit 20 Klicks.</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Kopiert</translation>
    </message>
    <message>
        <source>Copy it again from where it came from</source>
        <translation>Noch einmal von der Quelle kopieren</translation>
    </message>
    <message>
        <source>Copy it again from where it was</source>
        <translation>Noch einmal von der Quelle kopieren</translation>
    </message>
    <message>
        <source>Copy it again, or make one with {train}</source>
        <translation>Noch einmal kopieren oder mit {train} eine anlegen</translation>
    </message>
    <message>
        <source>Copy it again, or save it as PNG again from the program that made it</source>
        <translation>Noch einmal kopieren, oder im Programm, das sie gemacht hat, erneut als PNG speichern</translation>
    </message>
    <message>
        <source>Copy it again; if it is a model of your own, rename it and add it again</source>
        <translation>Noch einmal kopieren; ein eigenes Modell umbenennen und noch einmal hinzufügen</translation>
    </message>
    <message>
        <source>Copy report</source>
        <translation>Bericht kopieren</translation>
    </message>
    <message>
        <source>Copy the file's path</source>
        <translation>Pfad der Datei kopieren</translation>
    </message>
    <message>
        <source>Copy the object to the next image</source>
        <translation>Objekt ins nächste Bild kopieren</translation>
    </message>
    <message>
        <source>Copy the published folders again</source>
        <translation>Die veröffentlichten Ordner noch einmal kopieren</translation>
    </message>
    <message>
        <source>Correct it</source>
        <translation>Berichtigen</translation>
    </message>
    <message>
        <source>Correct it or delete it</source>
        <translation>Berichtigen oder löschen</translation>
    </message>
    <message>
        <source>Correct the file by hand</source>
        <translation>Die Datei von Hand berichtigen</translation>
    </message>
    <message>
        <source>Correct the selected mask, then it is right</source>
        <translation>Gewählte Maske berichtigen, danach ist sie richtig</translation>
    </message>
    <message>
        <source>Corrected: the mask that it replaces stays in the project</source>
        <translation>Berichtigt: Die ersetzte Maske bleibt im Projekt</translation>
    </message>
    <message>
        <source>Crops: one PNG per object, transparent around it</source>
        <translation>Ausschnitte: ein PNG je Objekt, ringsum durchsichtig</translation>
    </message>
    <message>
        <source>Ctrl + Shift + left click</source>
        <translation>Strg + Umschalt + Linksklick</translation>
    </message>
    <message>
        <source>Ctrl + left click</source>
        <translation>Strg + Linksklick</translation>
    </message>
    <message>
        <source>Ctrl + right click</source>
        <translation>Strg + Rechtsklick</translation>
    </message>
    <message>
        <source>Ctrl + wheel with the brush</source>
        <translation>Strg + Mausrad mit dem Pinsel</translation>
    </message>
    <message>
        <source>Cut an object</source>
        <translation>Objekt zerschneiden</translation>
    </message>
    <message>
        <source>Cut it into tiles</source>
        <translation>In Kacheln zerteilen</translation>
    </message>
    <message>
        <source>Cut it into tiles or reduce it, and open the tiles</source>
        <translation>In Kacheln zerteilen oder verkleinern, und die Kacheln öffnen</translation>
    </message>
    <message>
        <source>D shows the next image. The model learns from what you accepted; the panel Learning says whether that helps.</source>
        <translation>D zeigt das nächste Bild. Das Modell lernt aus dem Übernommenen; das Feld Lernen sagt, ob das hilft.</translation>
    </message>
    <message>
        <source>DICOM files need pydicom</source>
        <translation>DICOM-Dateien brauchen pydicom</translation>
    </message>
    <message>
        <source>Damaged entries of the project are left out, none is deleted: {names}</source>
        <translation>Beschädigte Einträge des Projekts werden ausgelassen, keiner wird gelöscht: {names}</translation>
    </message>
    <message>
        <source>Damaged entries of the project are left out, none is deleted: {names}; and {more} more</source>
        <translation>Beschädigte Einträge des Projekts werden ausgelassen, keiner wird gelöscht: {names}; und {more} weitere</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>Dark theme</source>
        <translation>Dunkles Design</translation>
    </message>
    <message>
        <source>Data set: images, masks and a split, for samtta bench and train</source>
        <translation>Datensatz: Bilder, Masken und Aufteilung, für samtta bench und train</translation>
    </message>
    <message>
        <source>Default key</source>
        <translation>Standardtaste</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Delete class</source>
        <translation>Klasse löschen</translation>
    </message>
    <message>
        <source>Delete object</source>
        <translation>Objekt löschen</translation>
    </message>
    <message>
        <source>Delete {name} from the disk?</source>
        <translation>{name} vom Datenträger löschen?</translation>
    </message>
    <message>
        <source>Deleted</source>
        <translation>Gelöscht</translation>
    </message>
    <message>
        <source>Depth</source>
        <translation>Tiefe</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Einzelheiten</translation>
    </message>
    <message>
        <source>Deutsch</source>
        <translation>Deutsch</translation>
    </message>
    <message>
        <source>Did you mean {near}</source>
        <translation>War {near} gemeint</translation>
    </message>
    <message>
        <source>Did you mean {near}?</source>
        <translation>War {near} gemeint?</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>Unterschied</translation>
    </message>
    <message>
        <source>Disagreement between clicks</source>
        <translation>Uneinigkeit zwischen Klicks</translation>
    </message>
    <message>
        <source>Disagreement between outlines</source>
        <translation>Uneinigkeit zwischen Umrissen</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Dismiss message</source>
        <translation>Meldung schließen</translation>
    </message>
    <message>
        <source>Do not show again</source>
        <translation>Nicht mehr zeigen</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Erledigt</translation>
    </message>
    <message>
        <source>Done: nothing here</source>
        <translation>Erledigt: hier ist nichts</translation>
    </message>
    <message>
        <source>Double-click to rename</source>
        <translation>Doppelklick zum Umbenennen</translation>
    </message>
    <message>
        <source>Doubt</source>
        <translation>Zweifel</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>Herunterladen</translation>
    </message>
    <message>
        <source>Downloading {title}</source>
        <translation>{title} herunterladen</translation>
    </message>
    <message>
        <source>Drag a corner, click on a line, right click</source>
        <translation>Ecke ziehen, auf eine Linie klicken, Rechtsklick</translation>
    </message>
    <message>
        <source>Drag a line across an object to cut it in two; X goes back to clicks</source>
        <translation>Eine Linie quer durch ein Objekt ziehen zerschneidet es; X führt zurück zu Klicks</translation>
    </message>
    <message>
        <source>Drag to erase, right-drag to paint; [ and ] change the size, Shift+B goes back to clicks, Enter accepts</source>
        <translation>Ziehen radiert, rechts ziehen malt; [ und ] ändern die Größe, Umschalt+B führt zurück zu Klicks, Enter übernimmt</translation>
    </message>
    <message>
        <source>Drag to paint, right-drag to erase; [ and ] change the size, B goes back to clicks, Enter accepts</source>
        <translation>Ziehen malt, rechts ziehen radiert; [ und ] ändern die Größe, B führt zurück zu Klicks, Enter übernimmt</translation>
    </message>
    <message>
        <source>Drag with the brush, right drag</source>
        <translation>Mit dem Pinsel ziehen, rechts ziehen</translation>
    </message>
    <message>
        <source>Drag with the lasso, right drag with the lasso</source>
        <translation>Mit dem Lasso ziehen, rechts ziehen</translation>
    </message>
    <message>
        <source>Drag with the left button</source>
        <translation>Mit der linken Taste ziehen</translation>
    </message>
    <message>
        <source>Draw</source>
        <translation>Zeichnen</translation>
    </message>
    <message>
        <source>Draw a box around the object</source>
        <translation>Einen Rahmen um das Objekt ziehen</translation>
    </message>
    <message>
        <source>Draw plausible outlines</source>
        <translation>Plausible Umrisse ziehen</translation>
    </message>
    <message>
        <source>Draw the selected object behind the others</source>
        <translation>Gewähltes Objekt hinter die anderen legen</translation>
    </message>
    <message>
        <source>Drawn by hand</source>
        <translation>Von Hand gezeichnet</translation>
    </message>
    <message>
        <source>Drawn by hand: no model says how well it fits</source>
        <translation>Von Hand gezeichnet: Kein Modell sagt, wie gut es passt</translation>
    </message>
    <message>
        <source>Drop crumbs</source>
        <translation>Krümel entfernen</translation>
    </message>
    <message>
        <source>Dropped: the loss was not finite</source>
        <translation>Verworfen: Der Verlust war nicht endlich</translation>
    </message>
    <message>
        <source>Dropped: the weights were changed by hand meanwhile</source>
        <translation>Verworfen: Die Gewichte wurden inzwischen von Hand geändert</translation>
    </message>
    <message>
        <source>Duplicate the object</source>
        <translation>Objekt duplizieren</translation>
    </message>
    <message>
        <source>EXIF and other private data of the image files</source>
        <translation>EXIF und andere private Daten der Bilddateien</translation>
    </message>
    <message>
        <source>EXIF, places, dates, names and comments are taken out of the copies; orientation and colour profiles stay</source>
        <translation>EXIF, Orte, Daten, Namen und Kommentare sind aus den Kopien entfernt; Ausrichtung und Farbprofile bleiben</translation>
    </message>
    <message>
        <source>Each part of a mask is an object</source>
        <translation>Jeder Teil einer Maske ist ein Objekt</translation>
    </message>
    <message>
        <source>Each stroke, polygon or change of shape by hand counts as one click. The column by_hand counts these steps, and the kind of each step stands in clicks.csv. The replays of both sides use clicks alone. An object shaped by hand that neither side reaches by clicks counts as failed in NoC and FR. The curve and the sentence leave it out, as it tells no difference.</source>
        <translation>Jeder Strich, jedes Polygon und jede Formänderung von Hand zählt als ein Klick. Die Spalte by_hand zählt diese Schritte, und die Art jedes Schritts steht in clicks.csv. Die Wiederholungen beider Seiten benutzen nur Klicks. Ein von Hand geformtes Objekt, das keine Seite mit Klicks erreicht, zählt in NoC und FR als gescheitert. Die Kurve und der Satz lassen es weg, denn es zeigt keinen Unterschied.</translation>
    </message>
    <message>
        <source>Edges of everything</source>
        <translation>Kanten von allem</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>Bearbeiten</translation>
    </message>
    <message>
        <source>Encoded images on the disk</source>
        <translation>Kodierte Bilder auf dem Datenträger</translation>
    </message>
    <message>
        <source>End</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>End the comparison</source>
        <translation>Vergleich beenden</translation>
    </message>
    <message>
        <source>English</source>
        <translation>English</translation>
    </message>
    <message>
        <source>Enter accepts, Tab shows another candidate, a right click takes away</source>
        <translation>Enter übernimmt, Tab zeigt einen anderen Kandidaten, ein Rechtsklick nimmt weg</translation>
    </message>
    <message>
        <source>Enter accepts, click what is missing, right-click what is too much</source>
        <translation>Enter übernimmt, Fehlendes anklicken, zu viel rechts anklicken</translation>
    </message>
    <message>
        <source>Eraser</source>
        <translation>Radierer</translation>
    </message>
    <message>
        <source>Every difference with {other} is settled</source>
        <translation>Jeder Unterschied zu {other} ist entschieden</translation>
    </message>
    <message>
        <source>Every difference with {other} is settled.</source>
        <translation>Jeder Unterschied zu {other} ist entschieden.</translation>
    </message>
    <message>
        <source>Every key can be changed in the settings, on the page of keys.</source>
        <translation>Jede Taste lässt sich in den Einstellungen ändern, auf der Seite der Tasten.</translation>
    </message>
    <message>
        <source>Every mask is rated</source>
        <translation>Jede Maske ist bewertet</translation>
    </message>
    <message>
        <source>Every other image is done</source>
        <translation>Alle anderen Bilder sind erledigt</translation>
    </message>
    <message>
        <source>Exclude clicks alone show no object: click on the object; what you excluded stays excluded</source>
        <translation>Ausschlussklicks allein zeigen kein Objekt: auf das Objekt klicken; Ausgeschlossenes bleibt ausgeschlossen</translation>
    </message>
    <message>
        <source>Expected gain in IoU from another candidate (task gap): {gain}</source>
        <translation>Erwarteter Gewinn an IoU durch einen anderen Kandidaten (task gap): {gain}</translation>
    </message>
    <message>
        <source>Expected gain in IoU from more clicks (prompt gap): {gain}</source>
        <translation>Erwarteter Gewinn an IoU durch mehr Klicks (prompt gap): {gain}</translation>
    </message>
    <message>
        <source>Expected gain in IoU from the larger model (model gap): {gain}</source>
        <translation>Erwarteter Gewinn an IoU durch das größere Modell (model gap): {gain}</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>Exportieren</translation>
    </message>
    <message>
        <source>Export again</source>
        <translation>Noch einmal exportieren</translation>
    </message>
    <message>
        <source>Export into this folder</source>
        <translation>In diesen Ordner exportieren</translation>
    </message>
    <message>
        <source>Exported</source>
        <translation>Exportiert</translation>
    </message>
    <message>
        <source>Exported as</source>
        <translation>Exportiert als</translation>
    </message>
    <message>
        <source>Exporting</source>
        <translation>Export läuft</translation>
    </message>
    <message>
        <source>Exporting {words}</source>
        <translation>Export: {words}</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Exportieren…</translation>
    </message>
    <message>
        <source>FR_k@t</source>
        <translation>FR_k@t</translation>
    </message>
    <message>
        <source>FR₂₀@85: share of objects that do not reach IoU 0.85 within 20 clicks</source>
        <translation>FR₂₀@85: Anteil der Objekte, die IoU 0,85 nicht in 20 Klicks erreichen</translation>
    </message>
    <message>
        <source>FR₃₀@90: share of objects that do not reach IoU 0.90 within 30 clicks</source>
        <translation>FR₃₀@90: Anteil der Objekte, die IoU 0,90 nicht in 30 Klicks erreichen</translation>
    </message>
    <message>
        <source>Figures of all attempts also count objects that were given up: cancelled, left, closed or deleted right after the accept. Each counts as failed, with the limit as its clicks.</source>
        <translation>Die Zahlen aller Versuche zählen auch aufgegebene Objekte: abgebrochen, verlassen, geschlossen oder gleich nach der Übernahme gelöscht. Jedes zählt als gescheitert, mit der Grenze als Klicks.</translation>
    </message>
    <message>
        <source>Figures of clicks: with learning / without it</source>
        <translation>Zahlen der Klicks: mit Lernen / ohne Lernen</translation>
    </message>
    <message>
        <source>Figures written</source>
        <translation>Zahlen geschrieben</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>Fill holes</source>
        <translation>Löcher füllen</translation>
    </message>
    <message>
        <source>Find</source>
        <translation>Suchen</translation>
    </message>
    <message>
        <source>Find in all pages</source>
        <translation>In allen Seiten suchen</translation>
    </message>
    <message>
        <source>Find masks</source>
        <translation>Masken suchen</translation>
    </message>
    <message>
        <source>Find masks everywhere in this image, or more like the selected object. You accept or reject each one.</source>
        <translation>Masken überall im Bild suchen, oder weitere wie das gewählte Objekt. Jede wird einzeln übernommen oder abgelehnt.</translation>
    </message>
    <message>
        <source>Find more like the selected object</source>
        <translation>Weitere wie das gewählte Objekt suchen</translation>
    </message>
    <message>
        <source>Find the images…</source>
        <translation>Bilder wiederfinden…</translation>
    </message>
    <message>
        <source>Fit at least</source>
        <translation>Passung mindestens</translation>
    </message>
    <message>
        <source>Fit image</source>
        <translation>Bild einpassen</translation>
    </message>
    <message>
        <source>Fit on new objects</source>
        <translation>Passung auf neuen Objekten</translation>
    </message>
    <message>
        <source>Fits every object's own clicks and forgets it afterwards (f-BRS, 2020)</source>
        <translation>Passt sich den Klicks jedes Objekts an und vergisst sie danach (f-BRS, 2020)</translation>
    </message>
    <message>
        <source>Fits groups of an object's clicks separately, merges them, and forgets (DC-TTA, after the abstract)</source>
        <translation>Passt sich Gruppen der Klicks eines Objekts getrennt an, vereint sie und vergisst (DC-TTA, nach der Kurzfassung)</translation>
    </message>
    <message>
        <source>Fix</source>
        <translation>Berichtigen</translation>
    </message>
    <message>
        <source>Float or dock</source>
        <translation>Lösen oder andocken</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>For eyes that do not distinguish green and red</source>
        <translation>Für Augen, die Grün und Rot nicht unterscheiden</translation>
    </message>
    <message>
        <source>Form of 1 mask</source>
        <translation>Form von 1 Maske</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>Format</translation>
    </message>
    <message>
        <source>Forms of the masks</source>
        <translation>Formen der Masken</translation>
    </message>
    <message>
        <source>Forms of {number} masks</source>
        <translation>Formen von {number} Masken</translation>
    </message>
    <message>
        <source>Frame</source>
        <translation>Einzelbild</translation>
    </message>
    <message>
        <source>Free some space</source>
        <translation>Platz schaffen</translation>
    </message>
    <message>
        <source>Free some space, and check the folder's rights</source>
        <translation>Platz schaffen und die Rechte des Ordners prüfen</translation>
    </message>
    <message>
        <source>Free some space, and download it again</source>
        <translation>Platz schaffen und noch einmal herunterladen</translation>
    </message>
    <message>
        <source>Gain</source>
        <translation>Gewinn</translation>
    </message>
    <message>
        <source>Gain from another mask</source>
        <translation>Gewinn durch eine andere Maske</translation>
    </message>
    <message>
        <source>Gain from more clicks</source>
        <translation>Gewinn durch mehr Klicks</translation>
    </message>
    <message>
        <source>Gain from the larger model</source>
        <translation>Gewinn durch das größere Modell</translation>
    </message>
    <message>
        <source>Gamma</source>
        <translation>Gamma</translation>
    </message>
    <message>
        <source>GeoJSON: polygons in pixels</source>
        <translation>GeoJSON: Polygone in Pixeln</translation>
    </message>
    <message>
        <source>GeoJSON: polygons with holes, one file per image</source>
        <translation>GeoJSON: Polygone mit Löchern, eine Datei je Bild</translation>
    </message>
    <message>
        <source>Get the official file again</source>
        <translation>Die offizielle Datei neu holen</translation>
    </message>
    <message>
        <source>Get the official file again, or rename this one to {get}</source>
        <translation>Die offizielle Datei neu holen oder diese in {get} umbenennen</translation>
    </message>
    <message>
        <source>Get {by_hand}</source>
        <translation>Zu holen: {by_hand}</translation>
    </message>
    <message>
        <source>Give a JSON file of COCO detections: a list of image_id, category_id, bbox and score</source>
        <translation>Eine JSON-Datei mit COCO-Erkennungen angeben: eine Liste mit image_id, category_id, bbox und score</translation>
    </message>
    <message>
        <source>Give it once</source>
        <translation>Einmal angeben</translation>
    </message>
    <message>
        <source>Give one of them another key</source>
        <translation>Einer davon eine andere Taste geben</translation>
    </message>
    <message>
        <source>Give the path of a file, or one of {known}</source>
        <translation>Den Pfad einer Datei nennen oder eines von {known}</translation>
    </message>
    <message>
        <source>Give the path of a weights file</source>
        <translation>Den Pfad einer Gewichtsdatei angeben</translation>
    </message>
    <message>
        <source>Give {kinds}</source>
        <translation>Gebraucht wird {kinds}</translation>
    </message>
    <message>
        <source>Given up</source>
        <translation>Aufgegeben</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Weitermachen</translation>
    </message>
    <message>
        <source>Go on downloading</source>
        <translation>Weiter herunterladen</translation>
    </message>
    <message>
        <source>Greatest longer side of a mask, in pixels of the image</source>
        <translation>Größte längere Seite einer Maske, in Pixeln des Bildes</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>Grün</translation>
    </message>
    <message>
        <source>Green (2)</source>
        <translation>Grün (2)</translation>
    </message>
    <message>
        <source>Grey</source>
        <translation>Grau</translation>
    </message>
    <message>
        <source>Grow by a pixel</source>
        <translation>Um ein Pixel wachsen</translation>
    </message>
    <message>
        <source>Held back: the next object is the first test</source>
        <translation>Zurückgehalten: Das nächste Objekt ist die erste Prüfung</translation>
    </message>
    <message>
        <source>Held back: the original answers ({on}, learned {learned:.1f} %)</source>
        <translation>Zurückgehalten: Das Original antwortet ({on}, gelernt {learned:.1f} %)</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Hilfe</translation>
    </message>
    <message>
        <source>Help page</source>
        <translation>Hilfeseite</translation>
    </message>
    <message>
        <source>Help pages</source>
        <translation>Hilfeseiten</translation>
    </message>
    <message>
        <source>Hide the selected object</source>
        <translation>Gewähltes Objekt ausblenden</translation>
    </message>
    <message>
        <source>Histogram of the masks: concavity</source>
        <translation>Histogramm der Masken: Konkavität</translation>
    </message>
    <message>
        <source>Histogram of the masks: parts</source>
        <translation>Histogramm der Masken: Teile</translation>
    </message>
    <message>
        <source>Histogram of the masks: size</source>
        <translation>Histogramm der Masken: Größe</translation>
    </message>
    <message>
        <source>How divided the plausible outlines are: 1 where half of the samples hold the place</source>
        <translation>Wie geteilt die plausiblen Umrisse sind: 1, wo die Hälfte der Proben die Stelle enthält</translation>
    </message>
    <message>
        <source>How far learning moved the probability (adapted against original weights)</source>
        <translation>Wie weit Lernen die Wahrscheinlichkeit verschoben hat (angepasste gegen originale Gewichte)</translation>
    </message>
    <message>
        <source>How far the probability moves when a second model, the refiner, corrects the mask</source>
        <translation>Wie weit sich die Wahrscheinlichkeit verschiebt, wenn ein zweites Modell, der Verfeinerer, die Maske berichtigt</translation>
    </message>
    <message>
        <source>How far the probability varies over eight clicks nearby (standard deviation)</source>
        <translation>Wie weit die Wahrscheinlichkeit über acht nahe Klicks schwankt (Standardabweichung)</translation>
    </message>
    <message>
        <source>How often learning changed the model (weights version)</source>
        <translation>Wie oft Lernen das Modell geändert hat (Version der Gewichte)</translation>
    </message>
    <message>
        <source>How often the model had learned when it made the mask (weights version); 0 is the original</source>
        <translation>Wie oft das Modell gelernt hatte, als die Maske entstand (Version der Gewichte); 0 ist das Original</translation>
    </message>
    <message>
        <source>How strongly the map covers the image  (Alt+O)</source>
        <translation>Wie stark die Karte das Bild deckt  (Alt+O)</translation>
    </message>
    <message>
        <source>How undecided each pixel is by itself (entropy of its probability: 1 bit at one half)</source>
        <translation>Wie unentschieden jedes Pixel für sich ist (Entropie seiner Wahrscheinlichkeit: 1 Bit bei einhalb)</translation>
    </message>
    <message>
        <source>How undecided its pixels are: mean entropy inside the mask; 100 % is 1 bit</source>
        <translation>Wie unentschieden seine Pixel sind: mittlere Entropie in der Maske; 100 % sind 1 Bit</translation>
    </message>
    <message>
        <source>How well its mask is expected to fit: calibrated expected IoU</source>
        <translation>Wie gut seine Maske voraussichtlich passt: kalibrierte erwartete IoU</translation>
    </message>
    <message>
        <source>Ignore</source>
        <translation>Ignorieren</translation>
    </message>
    <message>
        <source>Ignore region</source>
        <translation>Ignorierter Bereich</translation>
    </message>
    <message>
        <source>Ignore region: neither learned from nor counted; exports mark it where they can</source>
        <translation>Ignorierter Bereich: wird weder gelernt noch gezählt; Exporte kennzeichnen ihn, wo sie können</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Image in the file</source>
        <translation>Bild in der Datei</translation>
    </message>
    <message>
        <source>Images</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>Images of subfolders, too</source>
        <translation>Auch Bilder in Unterordnern</translation>
    </message>
    <message>
        <source>Images that are listed</source>
        <translation>Bilder in der Liste</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>Importieren</translation>
    </message>
    <message>
        <source>Import this file</source>
        <translation>Diese Datei importieren</translation>
    </message>
    <message>
        <source>Imported 1 object from {source}</source>
        <translation>1 Objekt aus {source} importiert</translation>
    </message>
    <message>
        <source>Imported {number} objects from {source}</source>
        <translation>{number} Objekte aus {source} importiert</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>Importieren…</translation>
    </message>
    <message>
        <source>Index PNG: each number is an object</source>
        <translation>Index-PNG: jede Zahl ist ein Objekt</translation>
    </message>
    <message>
        <source>Index PNG: objects and classes, one pair per image</source>
        <translation>Index-PNG: Objekte und Klassen, ein Paar je Bild</translation>
    </message>
    <message>
        <source>It must be {expected}</source>
        <translation>Erwartet wird: {expected}</translation>
    </message>
    <message>
        <source>It stands beside what you accept and review; empty takes the login name</source>
        <translation>Er steht bei allem Übernommenen und Geprüften; leer gilt der Anmeldename</translation>
    </message>
    <message>
        <source>Its name must end in {names}</source>
        <translation>Ihr Name muss auf {names} enden</translation>
    </message>
    <message>
        <source>Its values of {bits} bits are read with 8.</source>
        <translation>Ihre Werte von {bits} Bit werden mit 8 gelesen.</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Behalten</translation>
    </message>
    <message>
        <source>Keep both annotators' masks</source>
        <translation>Masken beider Projekte behalten</translation>
    </message>
    <message>
        <source>Keep the largest part</source>
        <translation>Größten Teil behalten</translation>
    </message>
    <message>
        <source>Keep this outline as an alternative</source>
        <translation>Diesen Umriss als Alternative behalten</translation>
    </message>
    <message>
        <source>Kept in part: {first} answers first clicks, {later} later ones ({on})</source>
        <translation>Teils behalten: {first} beantwortet erste Klicks, {later} spätere ({on})</translation>
    </message>
    <message>
        <source>Kept: the best snapshot</source>
        <translation>Behalten: der beste Zwischenstand</translation>
    </message>
    <message>
        <source>Kept: this method does not check itself</source>
        <translation>Behalten: Diese Methode prüft sich nicht selbst</translation>
    </message>
    <message>
        <source>Kept: {on}</source>
        <translation>Behalten: {on}</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Tasten</translation>
    </message>
    <message>
        <source>Keys and gestures</source>
        <translation>Tasten und Gesten</translation>
    </message>
    <message>
        <source>Keys of actions</source>
        <translation>Tasten der Aktionen</translation>
    </message>
    <message>
        <source>Label Studio: a JSON file with brush masks</source>
        <translation>Label Studio: eine JSON-Datei mit Pinselmasken</translation>
    </message>
    <message>
        <source>Label Studio: one JSON file of brush masks</source>
        <translation>Label Studio: eine JSON-Datei mit Pinselmasken</translation>
    </message>
    <message>
        <source>Label TIFF of 16 bit, one per image, for Cellpose and micro-sam</source>
        <translation>Label-TIFF mit 16 Bit, eines je Bild, für Cellpose und micro-sam</translation>
    </message>
    <message>
        <source>Label TIFF: each number is an object</source>
        <translation>Label-TIFF: jede Zahl ist ein Objekt</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>Larger brush</source>
        <translation>Größerer Pinsel</translation>
    </message>
    <message>
        <source>Larger model</source>
        <translation>Größeres Modell</translation>
    </message>
    <message>
        <source>Lasso</source>
        <translation>Lasso</translation>
    </message>
    <message>
        <source>Lasso for proposals</source>
        <translation>Lasso für Vorschläge</translation>
    </message>
    <message>
        <source>Last change</source>
        <translation>Letzte Änderung</translation>
    </message>
    <message>
        <source>Last lesson</source>
        <translation>Letzte Lektion</translation>
    </message>
    <message>
        <source>Last update of the weights</source>
        <translation>Letzte Änderung der Gewichte</translation>
    </message>
    <message>
        <source>Learn from accepted objects</source>
        <translation>Aus übernommenen Objekten lernen</translation>
    </message>
    <message>
        <source>Learn from these when the project is opened next</source>
        <translation>Hieraus lernen, wenn das Projekt das nächste Mal geöffnet wird</translation>
    </message>
    <message>
        <source>Learning</source>
        <translation>Lernen</translation>
    </message>
    <message>
        <source>Learning costs clicks</source>
        <translation>Lernen kostet Klicks</translation>
    </message>
    <message>
        <source>Learning does not help</source>
        <translation>Lernen hilft nicht</translation>
    </message>
    <message>
        <source>Learning goes on</source>
        <translation>Das Lernen geht weiter</translation>
    </message>
    <message>
        <source>Learning helps</source>
        <translation>Lernen hilft</translation>
    </message>
    <message>
        <source>Learning is paused; the object is remembered for later</source>
        <translation>Das Lernen ist angehalten; das Objekt ist für später gemerkt</translation>
    </message>
    <message>
        <source>Learning is paused; what you accept is remembered</source>
        <translation>Das Lernen ist angehalten; Übernommenes wird gemerkt</translation>
    </message>
    <message>
        <source>Learning off</source>
        <translation>Lernen aus</translation>
    </message>
    <message>
        <source>Learning on</source>
        <translation>Lernen an</translation>
    </message>
    <message>
        <source>Learning paused</source>
        <translation>Lernen angehalten</translation>
    </message>
    <message>
        <source>Learning saves clicks</source>
        <translation>Lernen spart Klicks</translation>
    </message>
    <message>
        <source>Learning, and how often it changed the model (weights version); 0 is the original</source>
        <translation>Lernen, und wie oft es das Modell geändert hat (Version der Gewichte); 0 ist das Original</translation>
    </message>
    <message>
        <source>Learning…</source>
        <translation>Lernt…</translation>
    </message>
    <message>
        <source>Learns a little from every click and every accepted object (Schön et al. 2024)</source>
        <translation>Lernt ein wenig aus jedem Klick und jedem übernommenen Objekt (Schön et al. 2024)</translation>
    </message>
    <message>
        <source>Learns a low-rank change of the attention from accepted objects (after LIT-LoRA; one expert)</source>
        <translation>Lernt eine Änderung niedrigen Rangs der Attention aus übernommenen Objekten (nach LIT-LoRA; ein Experte)</translation>
    </message>
    <message>
        <source>Learns from every object you accept, and from its own proposals where they are certain</source>
        <translation>Lernt aus jedem übernommenen Objekt, und aus eigenen Vorschlägen, wo sie sicher sind</translation>
    </message>
    <message>
        <source>Learns from every object you accept, and uses the share of it that proved better</source>
        <translation>Lernt aus jedem übernommenen Objekt, und verwendet den Anteil davon, der sich als besser erwies</translation>
    </message>
    <message>
        <source>Learns from every object you accept, for all classes together and then for its own</source>
        <translation>Lernt aus jedem übernommenen Objekt, für alle Klassen zusammen und dann für seine eigene</translation>
    </message>
    <message>
        <source>Learns from every object you accept, separately for each class</source>
        <translation>Lernt aus jedem übernommenen Objekt, getrennt für jede Klasse</translation>
    </message>
    <message>
        <source>Least area</source>
        <translation>Kleinste Fläche</translation>
    </message>
    <message>
        <source>Least confidence of what is accepted together</source>
        <translation>Kleinste Sicherheit dessen, was zusammen übernommen wird</translation>
    </message>
    <message>
        <source>Least longer side of a mask, in pixels of the image</source>
        <translation>Kleinste längere Seite einer Maske, in Pixeln des Bildes</translation>
    </message>
    <message>
        <source>Least predicted IoU</source>
        <translation>Kleinste vorhergesagte IoU</translation>
    </message>
    <message>
        <source>Least stability: how little the mask changes with its threshold</source>
        <translation>Kleinste Stabilität: wie wenig sich die Maske mit ihrer Schwelle ändert</translation>
    </message>
    <message>
        <source>Leave it out</source>
        <translation>Weglassen</translation>
    </message>
    <message>
        <source>Left click</source>
        <translation>Linksklick</translation>
    </message>
    <message>
        <source>Let this version answer</source>
        <translation>Diese Version antworten lassen</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>Licences</source>
        <translation>Lizenzen</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Light theme</source>
        <translation>Helles Design</translation>
    </message>
    <message>
        <source>Limit</source>
        <translation>Grenze</translation>
    </message>
    <message>
        <source>Line {number} of the settings file is not valid and is left out: {why}</source>
        <translation>Zeile {number} der Einstellungsdatei ist ungültig und wird ausgelassen: {why}</translation>
    </message>
    <message>
        <source>List only what is at least this; at the lowest value, all</source>
        <translation>Nur auflisten, was mindestens so groß ist; beim kleinsten Wert alle</translation>
    </message>
    <message>
        <source>List only what is at most this; at the lowest value, all</source>
        <translation>Nur auflisten, was höchstens so groß ist; beim kleinsten Wert alle</translation>
    </message>
    <message>
        <source>Loading the model…</source>
        <translation>Modell wird geladen…</translation>
    </message>
    <message>
        <source>Longest pause that counts</source>
        <translation>Längste Pause, die zählt</translation>
    </message>
    <message>
        <source>Look</source>
        <translation>Aussehen</translation>
    </message>
    <message>
        <source>Looking again at the objects accepted before</source>
        <translation>Sieht früher übernommene Objekte noch einmal an</translation>
    </message>
    <message>
        <source>Looking again…</source>
        <translation>Sieht noch einmal hin…</translation>
    </message>
    <message>
        <source>Looking…</source>
        <translation>Sucht…</translation>
    </message>
    <message>
        <source>Make it writable</source>
        <translation>Schreibrecht geben</translation>
    </message>
    <message>
        <source>Make one for it with {train}</source>
        <translation>Mit {train} eine dafür anlegen</translation>
    </message>
    <message>
        <source>Make one with {train}</source>
        <translation>Mit {train} eine anlegen</translation>
    </message>
    <message>
        <source>Map of doubt, next</source>
        <translation>Karte des Zweifels, nächste</translation>
    </message>
    <message>
        <source>Map of doubt, previous</source>
        <translation>Karte des Zweifels, vorige</translation>
    </message>
    <message>
        <source>Mask under the pointer</source>
        <translation>Maske unter dem Zeiger</translation>
    </message>
    <message>
        <source>Mask under the pointer before a click</source>
        <translation>Maske unter dem Zeiger vor einem Klick</translation>
    </message>
    <message>
        <source>Mask {mask} of {total}: rate it from 1 to 9, 0 for 10. Tab skips it, Esc ends</source>
        <translation>Maske {mask} von {total}: mit 1 bis 9 bewerten, 0 für 10. Tab überspringt sie, Esc beendet</translation>
    </message>
    <message>
        <source>Masks</source>
        <translation>Masken</translation>
    </message>
    <message>
        <source>Masks and edges of everything are looked for in images of at most {side} pixels a side</source>
        <translation>Masken und Kanten von allem werden in Bildern mit höchstens {side} Pixeln Seitenlänge gesucht</translation>
    </message>
    <message>
        <source>Masks are being rated.
Proposals are hidden until the end.</source>
        <translation>Masken werden bewertet.
Vorschläge sind bis zum Ende verborgen.</translation>
    </message>
    <message>
        <source>Masks are being rated.
Reviews are hidden until the end.</source>
        <translation>Masken werden bewertet.
Prüfungen sind bis zum Ende verborgen.</translation>
    </message>
    <message>
        <source>Masks are being rated.
What made them is hidden until the end.</source>
        <translation>Masken werden bewertet.
Woraus sie entstanden, ist bis zum Ende verborgen.</translation>
    </message>
    <message>
        <source>Masks are being rated: press 1 to 9, 0 for 10, Tab to skip, or Esc to end</source>
        <translation>Masken werden bewertet: 1 bis 9 drücken, 0 für 10, Tab überspringt, Esc beendet</translation>
    </message>
    <message>
        <source>Masks of 0 and 255</source>
        <translation>Masken aus 0 und 255</translation>
    </message>
    <message>
        <source>Masks of the original model (weights version 0)</source>
        <translation>Masken des Originalmodells (Gewichte der Version 0)</translation>
    </message>
    <message>
        <source>Masks that were accepted after learning had changed the model</source>
        <translation>Masken, die übernommen wurden, nachdem Lernen das Modell geändert hatte</translation>
    </message>
    <message>
        <source>Matched</source>
        <translation>Zugeordnet</translation>
    </message>
    <message>
        <source>Matched objects that have another class there</source>
        <translation>Zugeordnete Objekte, die dort eine andere Klasse haben</translation>
    </message>
    <message>
        <source>Mean</source>
        <translation>Mittel</translation>
    </message>
    <message>
        <source>Mean IoU</source>
        <translation>Mittlere IoU</translation>
    </message>
    <message>
        <source>Mean number of clicks to an IoU of t in percent; an object that does not reach it counts as k.</source>
        <translation>Mittlere Zahl der Klicks bis zu einer IoU von t Prozent; ein Objekt, das sie nicht erreicht, zählt k.</translation>
    </message>
    <message>
        <source>Mean overlap of matched objects</source>
        <translation>Mittlere Überdeckung zugeordneter Objekte</translation>
    </message>
    <message>
        <source>Measure speed</source>
        <translation>Tempo messen</translation>
    </message>
    <message>
        <source>Measuring {title}</source>
        <translation>{title} messen</translation>
    </message>
    <message>
        <source>Menu of the class</source>
        <translation>Menü der Klasse</translation>
    </message>
    <message>
        <source>Menu of the image</source>
        <translation>Menü des Bildes</translation>
    </message>
    <message>
        <source>Menu of the object</source>
        <translation>Menü des Objekts</translation>
    </message>
    <message>
        <source>Menu of the object there</source>
        <translation>Menü des Objekts dort</translation>
    </message>
    <message>
        <source>Menu of the object there, or of the image</source>
        <translation>Menü des Objekts dort oder des Bildes</translation>
    </message>
    <message>
        <source>Merge into</source>
        <translation>Vereinen mit</translation>
    </message>
    <message>
        <source>Merge the object there with the selected one</source>
        <translation>Das Objekt dort mit dem gewählten vereinen</translation>
    </message>
    <message>
        <source>Merge with another object</source>
        <translation>Mit einem anderen Objekt vereinen</translation>
    </message>
    <message>
        <source>Middle drag, Space + drag</source>
        <translation>Mit der mittleren Taste ziehen, Leertaste + ziehen</translation>
    </message>
    <message>
        <source>Mine</source>
        <translation>Meine</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Model and device</source>
        <translation>Modell und Gerät</translation>
    </message>
    <message>
        <source>Model folder: {model_folder}</source>
        <translation>Modellordner: {model_folder}</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>Models…</source>
        <translation>Modelle…</translation>
    </message>
    <message>
        <source>More clicks</source>
        <translation>Mehr Klicks</translation>
    </message>
    <message>
        <source>Mouse</source>
        <translation>Maus</translation>
    </message>
    <message>
        <source>Mouse wheel</source>
        <translation>Mausrad</translation>
    </message>
    <message>
        <source>Move down</source>
        <translation>Nach unten</translation>
    </message>
    <message>
        <source>Move it elsewhere, or choose another folder</source>
        <translation>Anderswohin verschieben oder einen anderen Ordner wählen</translation>
    </message>
    <message>
        <source>Move the image</source>
        <translation>Bild verschieben</translation>
    </message>
    <message>
        <source>Move up</source>
        <translation>Nach oben</translation>
    </message>
    <message>
        <source>Move, add, take away a corner</source>
        <translation>Eine Ecke verschieben, hinzufügen, wegnehmen</translation>
    </message>
    <message>
        <source>Name 0 or more</source>
        <translation>0 oder mehr angeben</translation>
    </message>
    <message>
        <source>Name a folder of this machine with --project; the images may stay where they are</source>
        <translation>Mit --project einen Ordner dieses Rechners angeben; die Bilder können bleiben, wo sie sind</translation>
    </message>
    <message>
        <source>Name a place on another disk with --project</source>
        <translation>Mit --project einen Ort auf einem anderen Datenträger nennen</translation>
    </message>
    <message>
        <source>Name of a new class</source>
        <translation>Name einer neuen Klasse</translation>
    </message>
    <message>
        <source>Name one of: {known}</source>
        <translation>Eine davon nennen: {known}</translation>
    </message>
    <message>
        <source>Name three such as 80/10/10</source>
        <translation>Drei angeben, etwa 80/10/10</translation>
    </message>
    <message>
        <source>Names and values: stage=late; blurred</source>
        <translation>Namen und Werte: stadium=spät; unscharf</translation>
    </message>
    <message>
        <source>Needs a look</source>
        <translation>Zu prüfen</translation>
    </message>
    <message>
        <source>Needs a look ({why}): Y keeps it, Q corrects it, Shift+Q deletes it, R goes on</source>
        <translation>Zu prüfen ({why}): Y behält, Q berichtigt, Umschalt+Q löscht, R geht weiter</translation>
    </message>
    <message>
        <source>Never</source>
        <translation>Nie</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>Weiter</translation>
    </message>
    <message>
        <source>Next candidate or object</source>
        <translation>Nächster Kandidat oder nächstes Objekt</translation>
    </message>
    <message>
        <source>Next image</source>
        <translation>Nächstes Bild</translation>
    </message>
    <message>
        <source>Next image without objects</source>
        <translation>Nächstes Bild ohne Objekte</translation>
    </message>
    <message>
        <source>Next mask that needs a second look</source>
        <translation>Nächste Maske, die einen zweiten Blick braucht</translation>
    </message>
    <message>
        <source>Next proposal</source>
        <translation>Nächster Vorschlag</translation>
    </message>
    <message>
        <source>No accepted mask needs a second look.</source>
        <translation>Keine übernommene Maske braucht einen zweiten Blick.</translation>
    </message>
    <message>
        <source>No class is chosen</source>
        <translation>Keine Klasse ist gewählt</translation>
    </message>
    <message>
        <source>No clear difference in clicks</source>
        <translation>Kein deutlicher Unterschied bei den Klicks</translation>
    </message>
    <message>
        <source>No clear difference so far</source>
        <translation>Bisher kein deutlicher Unterschied</translation>
    </message>
    <message>
        <source>No edges were found in this image</source>
        <translation>In diesem Bild wurden keine Kanten gefunden</translation>
    </message>
    <message>
        <source>No hypothesis holds an object here: click on the object again, or draw a box around it</source>
        <translation>Keine Hypothese enthält hier ein Objekt: noch einmal auf das Objekt klicken oder einen Rahmen darum ziehen</translation>
    </message>
    <message>
        <source>No image</source>
        <translation>Kein Bild</translation>
    </message>
    <message>
        <source>No key</source>
        <translation>Keine Taste</translation>
    </message>
    <message>
        <source>No longer said to be right</source>
        <translation>Nicht mehr als richtig bestätigt</translation>
    </message>
    <message>
        <source>No mask needs a second look</source>
        <translation>Keine Maske braucht einen zweiten Blick</translation>
    </message>
    <message>
        <source>No masks are being rated</source>
        <translation>Es werden keine Masken bewertet</translation>
    </message>
    <message>
        <source>No new version – {reason}</source>
        <translation>Keine neue Version – {reason}</translation>
    </message>
    <message>
        <source>No other mask needs a second look</source>
        <translation>Keine andere Maske braucht einen zweiten Blick</translation>
    </message>
    <message>
        <source>No other project is compared: File, Compare with another project</source>
        <translation>Kein anderes Projekt wird verglichen: Datei, Mit anderem Projekt vergleichen</translation>
    </message>
    <message>
        <source>No plausible outlines were drawn for this answer: key G draws some</source>
        <translation>Zu dieser Antwort wurden keine plausiblen Umrisse gezogen: Taste G zieht welche</translation>
    </message>
    <message>
        <source>No proposal is meant: choose one, or lower the limits</source>
        <translation>Kein Vorschlag ist gemeint: einen wählen oder die Grenzen senken</translation>
    </message>
    <message>
        <source>No proposals are left: all {known} that were found are accepted or rejected</source>
        <translation>Keine Vorschläge sind übrig: alle {known} gefundenen sind übernommen oder abgelehnt</translation>
    </message>
    <message>
        <source>No proposals are left: all {known} that were found are accepted or rejected.</source>
        <translation>Keine Vorschläge sind übrig: Alle {known} gefundenen sind übernommen oder abgelehnt.</translation>
    </message>
    <message>
        <source>NoC_k@t</source>
        <translation>NoC_k@t</translation>
    </message>
    <message>
        <source>NoC₂₀@85: mean clicks to IoU 0.85; failures count as 20</source>
        <translation>NoC₂₀@85: mittlere Klicks bis IoU 0,85; Gescheiterte zählen 20</translation>
    </message>
    <message>
        <source>NoC₃₀@90: mean clicks to IoU 0.90; failures count as 30</source>
        <translation>NoC₃₀@90: mittlere Klicks bis IoU 0,90; Gescheiterte zählen 30</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Keine</translation>
    </message>
    <message>
        <source>None of the project's images is in this folder</source>
        <translation>Keines der Bilder des Projekts ist in diesem Ordner</translation>
    </message>
    <message>
        <source>None of the project's images is in {folder}. File, Find the images… names the folder where they are now</source>
        <translation>Keines der Bilder des Projekts ist in {folder}. Datei, Bilder wiederfinden… nennt den Ordner, in dem sie jetzt sind</translation>
    </message>
    <message>
        <source>None of the {number} annotated images can be copied ({name}: {why})</source>
        <translation>Keines der {number} annotierten Bilder lässt sich kopieren ({name}: {why})</translation>
    </message>
    <message>
        <source>Not done: {acts}. Redo tries again</source>
        <translation>Nicht getan: {acts}. Wiederholen versucht es noch einmal</translation>
    </message>
    <message>
        <source>Not enough objects yet: {control} control objects, {others} others; each group needs {fewest}</source>
        <translation>Noch nicht genug Objekte: {control} Kontrollobjekte, {others} andere; jede Gruppe braucht {fewest}</translation>
    </message>
    <message>
        <source>Not in it: {names}</source>
        <translation>Nicht darin: {names}</translation>
    </message>
    <message>
        <source>Not learned: the mask is empty or fills its whole window</source>
        <translation>Nicht gelernt: Die Maske ist leer oder füllt ihr ganzes Fenster</translation>
    </message>
    <message>
        <source>Not learned: the original weights are kept</source>
        <translation>Nicht gelernt: Die originalen Gewichte bleiben</translation>
    </message>
    <message>
        <source>Not looked at yet</source>
        <translation>Noch nicht angesehen</translation>
    </message>
    <message>
        <source>Nothing can be added to a bundle: install samtta by pip install "samtta[{extra}]"</source>
        <translation>Ein Bundle lässt sich nicht ergänzen: samtta mit pip install "samtta[{extra}]" installieren</translation>
    </message>
    <message>
        <source>Nothing here</source>
        <translation>Hier ist nichts</translation>
    </message>
    <message>
        <source>Nothing learnt yet: {objects}, all answered by the original model</source>
        <translation>Noch nichts gelernt: {objects}, alle vom Originalmodell beantwortet</translation>
    </message>
    <message>
        <source>Nothing to compare yet</source>
        <translation>Noch nichts zu vergleichen</translation>
    </message>
    <message>
        <source>Nothing was ever stored in this project</source>
        <translation>In diesem Projekt wurde nie etwas gespeichert</translation>
    </message>
    <message>
        <source>Nothing was found in this image: lower the limits and search again, or click on an object.</source>
        <translation>In diesem Bild wurde nichts gefunden: die Grenzen senken und noch einmal suchen, oder auf ein Objekt klicken.</translation>
    </message>
    <message>
        <source>Nothing was found in this image: lower the limits, or click on an object</source>
        <translation>In diesem Bild wurde nichts gefunden: die Grenzen senken oder auf ein Objekt klicken</translation>
    </message>
    <message>
        <source>Nothing was learned yet: the original model gave this answer</source>
        <translation>Noch nichts wurde gelernt: Das Originalmodell hat diese Antwort gegeben</translation>
    </message>
    <message>
        <source>Now</source>
        <translation>Jetzt</translation>
    </message>
    <message>
        <source>NumPy: .npz or .npy files</source>
        <translation>NumPy: Dateien .npz oder .npy</translation>
    </message>
    <message>
        <source>NumPy: one .npz archive of masks per image</source>
        <translation>NumPy: ein .npz-Archiv mit Masken je Bild</translation>
    </message>
    <message>
        <source>Number the objects from 1 to {most_id} at most, 0 for the rest</source>
        <translation>Die Objekte von 1 bis höchstens {most_id} nummerieren, 0 für den Rest</translation>
    </message>
    <message>
        <source>Object</source>
        <translation>Objekt</translation>
    </message>
    <message>
        <source>Objects</source>
        <translation>Objekte</translation>
    </message>
    <message>
        <source>Objects compared</source>
        <translation>Verglichene Objekte</translation>
    </message>
    <message>
        <source>Objects in the replay memory</source>
        <translation>Objekte im Wiederholungsspeicher</translation>
    </message>
    <message>
        <source>Objects of this image</source>
        <translation>Objekte dieses Bildes</translation>
    </message>
    <message>
        <source>Objects remembered</source>
        <translation>Gemerkte Objekte</translation>
    </message>
    <message>
        <source>Objects that both annotators have: their masks overlap by 30 % or more</source>
        <translation>Objekte, die es hier und dort gibt: ihre Masken überdecken sich zu 30 % oder mehr</translation>
    </message>
    <message>
        <source>Objects that only the other project has</source>
        <translation>Objekte, die nur das andere Projekt hat</translation>
    </message>
    <message>
        <source>Objects that only this project has</source>
        <translation>Objekte, die nur dieses Projekt hat</translation>
    </message>
    <message>
        <source>Objects that were begun and given up</source>
        <translation>Objekte, die begonnen und aufgegeben wurden</translation>
    </message>
    <message>
        <source>Objects to look at</source>
        <translation>Objekte zum Prüfen</translation>
    </message>
    <message>
        <source>Of all text in the window</source>
        <translation>Von allem Text im Fenster</translation>
    </message>
    <message>
        <source>Off: the original model answers</source>
        <translation>Aus: Das Originalmodell antwortet</translation>
    </message>
    <message>
        <source>Off: version {version} answers, and nothing is learned</source>
        <translation>Aus: Version {version} antwortet, und nichts wird gelernt</translation>
    </message>
    <message>
        <source>On {sum} of {number} pages</source>
        <translation>Auf {sum} von {number} Seiten</translation>
    </message>
    <message>
        <source>One more click may help: up to {gain}</source>
        <translation>Ein weiterer Klick hilft vielleicht: bis zu {gain}</translation>
    </message>
    <message>
        <source>One more click may help: up to {gain}, where the ring is</source>
        <translation>Ein weiterer Klick hilft vielleicht: bis zu {gain}, wo der Ring ist</translation>
    </message>
    <message>
        <source>Only an image that is shown can be marked as empty</source>
        <translation>Nur ein Bild, das gezeigt wird, lässt sich als leer kennzeichnen</translation>
    </message>
    <message>
        <source>Only here</source>
        <translation>Nur hier</translation>
    </message>
    <message>
        <source>Only reviewed objects</source>
        <translation>Nur geprüfte Objekte</translation>
    </message>
    <message>
        <source>Only there</source>
        <translation>Nur dort</translation>
    </message>
    <message>
        <source>Opacity of masks</source>
        <translation>Deckkraft der Masken</translation>
    </message>
    <message>
        <source>Opacity of the map of doubt</source>
        <translation>Deckkraft der Karte des Zweifels</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Open a folder of images</source>
        <translation>Ordner mit Bildern öffnen</translation>
    </message>
    <message>
        <source>Open a folder of images, or try the samples</source>
        <translation>Ordner mit Bildern öffnen oder die Beispiele ausprobieren</translation>
    </message>
    <message>
        <source>Open a folder of images…</source>
        <translation>Ordner mit Bildern öffnen…</translation>
    </message>
    <message>
        <source>Open a model of SAM 2, or train heads with `samtta train heads`</source>
        <translation>Ein Modell von SAM 2 öffnen, oder Köpfe trainieren mit `samtta train heads`</translation>
    </message>
    <message>
        <source>Open folder…</source>
        <translation>Ordner öffnen…</translation>
    </message>
    <message>
        <source>Open one beside this one</source>
        <translation>Eines neben diesem öffnen</translation>
    </message>
    <message>
        <source>Open recent</source>
        <translation>Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>Open the project with {found!r}, or go on from the original</source>
        <translation>Das Projekt mit {found!r} öffnen oder vom Original aus weitermachen</translation>
    </message>
    <message>
        <source>Orange</source>
        <translation>Orange</translation>
    </message>
    <message>
        <source>Original model</source>
        <translation>Originalmodell</translation>
    </message>
    <message>
        <source>Other class</source>
        <translation>Andere Klasse</translation>
    </message>
    <message>
        <source>Otherwise these settings are for your eyes alone. Learning always sees the image as it is</source>
        <translation>Sonst ändern diese Einstellungen nur die Anzeige. Gelernt wird immer am Bild, wie es ist</translation>
    </message>
    <message>
        <source>Outline objects in images with Segment Anything. Its mask decoder learns from your clicks and accepted masks while you work. The figures compare it with the original model on the same objects.</source>
        <translation>Umrandet Objekte in Bildern mit Segment Anything. Der Maskendecoder lernt bei der Arbeit aus Klicks und übernommenen Masken. Die Zahlen vergleichen ihn mit dem Originalmodell an denselben Objekten.</translation>
    </message>
    <message>
        <source>Outlines of every mask that a grid of 16 x 16 clicks finds in the image (SAM's edges)</source>
        <translation>Umrisse jeder Maske, die ein Raster von 16 x 16 Klicks im Bild findet (Kanten von SAM)</translation>
    </message>
    <message>
        <source>Outlines only</source>
        <translation>Nur Umrisse</translation>
    </message>
    <message>
        <source>PNG was not exported: {strerror}</source>
        <translation>PNG wurde nicht exportiert: {strerror}</translation>
    </message>
    <message>
        <source>Page</source>
        <translation>Seite</translation>
    </message>
    <message>
        <source>Pages and subfolders</source>
        <translation>Seiten und Unterordner</translation>
    </message>
    <message>
        <source>Pages and subfolders…</source>
        <translation>Seiten und Unterordner…</translation>
    </message>
    <message>
        <source>Paint, erase; the eraser the other way round</source>
        <translation>Malen, radieren; der Radierer umgekehrt</translation>
    </message>
    <message>
        <source>Parts</source>
        <translation>Teile</translation>
    </message>
    <message>
        <source>Pascal VOC: a folder with SegmentationObject</source>
        <translation>Pascal VOC: ein Ordner mit SegmentationObject</translation>
    </message>
    <message>
        <source>Pascal VOC: index PNGs of classes and objects, and XML</source>
        <translation>Pascal VOC: Index-PNGs der Klassen und Objekte, und XML</translation>
    </message>
    <message>
        <source>Passed over in the folder: {names}</source>
        <translation>Im Ordner übergangen: {names}</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Pause learning</source>
        <translation>Lernen anhalten</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Angehalten</translation>
    </message>
    <message>
        <source>Per class</source>
        <translation>Je Klasse</translation>
    </message>
    <message>
        <source>Per day</source>
        <translation>Je Tag</translation>
    </message>
    <message>
        <source>Pixel under the pointer: x, y, value</source>
        <translation>Pixel unter dem Zeiger: x, y, Wert</translation>
    </message>
    <message>
        <source>Plausible outlines are drawn by this model, not by the larger one</source>
        <translation>Plausible Umrisse zieht dieses Modell, nicht das größere</translation>
    </message>
    <message>
        <source>Polygon</source>
        <translation>Polygon</translation>
    </message>
    <message>
        <source>Predicted IoU {iou}, mean entropy {entropy} bits (0 sure, 1 unsure)</source>
        <translation>Vorhergesagte IoU {iou}, mittlere Entropie {entropy} Bit (0 sicher, 1 unsicher)</translation>
    </message>
    <message>
        <source>Predicted fit, score or likeness; calibrated by what you accepted and rejected, once that is enough</source>
        <translation>Vorhergesagte Passung, Punktzahl oder Ähnlichkeit; kalibriert an Übernommenem und Abgelehntem, sobald das genügt</translation>
    </message>
    <message>
        <source>Prepared: the first click is answered at once</source>
        <translation>Vorbereitet: Der erste Klick wird sofort beantwortet</translation>
    </message>
    <message>
        <source>Press Enter</source>
        <translation>Enter drücken</translation>
    </message>
    <message>
        <source>Press a key</source>
        <translation>Taste drücken</translation>
    </message>
    <message>
        <source>Press a key for the chosen action</source>
        <translation>Eine Taste für die gewählte Aktion drücken</translation>
    </message>
    <message>
        <source>Previous candidate or object</source>
        <translation>Voriger Kandidat oder voriges Objekt</translation>
    </message>
    <message>
        <source>Previous image</source>
        <translation>Voriges Bild</translation>
    </message>
    <message>
        <source>Previous mask that needs a second look</source>
        <translation>Vorige Maske, die einen zweiten Blick braucht</translation>
    </message>
    <message>
        <source>Previous proposal</source>
        <translation>Voriger Vorschlag</translation>
    </message>
    <message>
        <source>Processor threads of the model</source>
        <translation>Prozessor-Threads des Modells</translation>
    </message>
    <message>
        <source>Proposal</source>
        <translation>Vorschlag</translation>
    </message>
    <message>
        <source>Proposals</source>
        <translation>Vorschläge</translation>
    </message>
    <message>
        <source>Proposals, most confident first</source>
        <translation>Vorschläge, die sichersten zuerst</translation>
    </message>
    <message>
        <source>Propose</source>
        <translation>Vorschlagen</translation>
    </message>
    <message>
        <source>Published heads are for SAM 2, not for {name!r}</source>
        <translation>Veröffentlichte Köpfe sind für SAM 2, nicht für {name!r}</translation>
    </message>
    <message>
        <source>Purple</source>
        <translation>Violett</translation>
    </message>
    <message>
        <source>Put a copy of it in its place</source>
        <translation>Eine Kopie davon an ihre Stelle legen</translation>
    </message>
    <message>
        <source>Put back a copy; nothing was changed</source>
        <translation>Eine Kopie zurückspielen; nichts wurde geändert</translation>
    </message>
    <message>
        <source>Put it back</source>
        <translation>Zurücklegen</translation>
    </message>
    <message>
        <source>Put it back, or export upright masks</source>
        <translation>Es zurücklegen oder aufrechte Masken exportieren</translation>
    </message>
    <message>
        <source>Put it back; until then, export: all that was stored before can still be read here</source>
        <translation>Zurücklegen; bis dahin exportieren: alles früher Gespeicherte ist hier noch lesbar</translation>
    </message>
    <message>
        <source>Put the image itself in its place</source>
        <translation>Das Bild selbst an seine Stelle legen</translation>
    </message>
    <message>
        <source>Put the images back, or choose COCO or PNG, which hold masks alone</source>
        <translation>Die Bilder zurücklegen, oder COCO oder PNG wählen, die nur Masken enthalten</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Rate masks from 1 to 10</source>
        <translation>Masken von 1 bis 10 bewerten</translation>
    </message>
    <message>
        <source>Rate the mask 10</source>
        <translation>Die Maske mit 10 bewerten</translation>
    </message>
    <message>
        <source>Rate the mask {number}</source>
        <translation>Die Maske mit {number} bewerten</translation>
    </message>
    <message>
        <source>Rated 1 to 10</source>
        <translation>Bewertet von 1 bis 10</translation>
    </message>
    <message>
        <source>Rated: 1 mask</source>
        <translation>Bewertet: 1 Maske</translation>
    </message>
    <message>
        <source>Rated: {number} masks</source>
        <translation>Bewertet: {number} Masken</translation>
    </message>
    <message>
        <source>Ratings go from {lowest} to {highest}</source>
        <translation>Bewertungen gehen von {lowest} bis {highest}</translation>
    </message>
    <message>
        <source>Read</source>
        <translation>Lesen</translation>
    </message>
    <message>
        <source>Read the file to see what comes.</source>
        <translation>Die Datei lesen, um zu sehen, was kommt.</translation>
    </message>
    <message>
        <source>Reading the image…</source>
        <translation>Bild wird gelesen…</translation>
    </message>
    <message>
        <source>Reading the records of earlier objects: {number} of {every}</source>
        <translation>Aufzeichnungen früherer Objekte werden gelesen: {number} von {every}</translation>
    </message>
    <message>
        <source>Reading the statistics…</source>
        <translation>Statistik wird gelesen…</translation>
    </message>
    <message>
        <source>Reading {name}…</source>
        <translation>{name} wird gelesen…</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>Wird gelesen…</translation>
    </message>
    <message>
        <source>Recent</source>
        <translation>Zuletzt</translation>
    </message>
    <message>
        <source>Red (1)</source>
        <translation>Rot (1)</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Wiederholen</translation>
    </message>
    <message>
        <source>Reduce it</source>
        <translation>Verkleinern</translation>
    </message>
    <message>
        <source>Reject</source>
        <translation>Ablehnen</translation>
    </message>
    <message>
        <source>Reject the proposal</source>
        <translation>Vorschlag ablehnen</translation>
    </message>
    <message>
        <source>Remembered from before</source>
        <translation>Von früher gemerkt</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Remove crumbs and pinholes</source>
        <translation>Krümel und Nadellöcher entfernen</translation>
    </message>
    <message>
        <source>Remove crumbs and pinholes from masks</source>
        <translation>Krümel und Nadellöcher aus Masken entfernen</translation>
    </message>
    <message>
        <source>Remove it</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Remove last click</source>
        <translation>Letzten Klick entfernen</translation>
    </message>
    <message>
        <source>Remove the link, or choose another folder</source>
        <translation>Die Verknüpfung entfernen oder einen anderen Ordner wählen</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>Entfernen…</translation>
    </message>
    <message>
        <source>Removing {title}</source>
        <translation>{title} entfernen</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>Rename it</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>Rename it, or say samtta models remove {name}</source>
        <translation>Umbenennen, oder samtta models remove {name} aufrufen</translation>
    </message>
    <message>
        <source>Rename your file, or remove the other one</source>
        <translation>Die eigene Datei umbenennen oder die andere entfernen</translation>
    </message>
    <message>
        <source>Rename your own model, and add it again</source>
        <translation>Das eigene Modell umbenennen und noch einmal hinzufügen</translation>
    </message>
    <message>
        <source>Replaced: {number} of its objects were accepted on another picture</source>
        <translation>Ersetzt: {number} seiner Objekte wurden auf einem anderen Bild übernommen</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Bericht</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>Zurücksetzen</translation>
    </message>
    <message>
        <source>Reset to the original model</source>
        <translation>Auf das Originalmodell zurücksetzen</translation>
    </message>
    <message>
        <source>Review</source>
        <translation>Prüfung</translation>
    </message>
    <message>
        <source>Right</source>
        <translation>Richtig</translation>
    </message>
    <message>
        <source>Right click, Shift + left click</source>
        <translation>Rechtsklick, Umschalt + Linksklick</translation>
    </message>
    <message>
        <source>Roll back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Roll back one version</source>
        <translation>Eine Version zurück</translation>
    </message>
    <message>
        <source>Rolling mean of ten objects; the band holds 95 % of the means that chance would give. Clicks to an IoU of 0.85.</source>
        <translation>Gleitendes Mittel aus zehn Objekten; das Band enthält 95 % der Mittel, die der Zufall gäbe. Klicks bis IoU 0,85.</translation>
    </message>
    <message>
        <source>Rows and columns of the files, not upright</source>
        <translation>Zeilen und Spalten der Dateien, nicht aufrecht</translation>
    </message>
    <message>
        <source>Runs on</source>
        <translation>Läuft auf</translation>
    </message>
    <message>
        <source>Said to be right</source>
        <translation>Als richtig bestätigt</translation>
    </message>
    <message>
        <source>Save instance ids as one grey or palette channel</source>
        <translation>Instanznummern als einen Grau- oder Palettenkanal speichern</translation>
    </message>
    <message>
        <source>Save it as PNG</source>
        <translation>Als PNG speichern</translation>
    </message>
    <message>
        <source>Save it as PNG, JPEG or TIFF</source>
        <translation>Als PNG, JPEG oder TIFF speichern</translation>
    </message>
    <message>
        <source>Save it as PNG, or as a JPEG that is not progressive</source>
        <translation>Als PNG speichern, oder als JPEG, das nicht progressiv ist</translation>
    </message>
    <message>
        <source>Save it unpacked, or install pylibjpeg</source>
        <translation>Ungepackt speichern oder pylibjpeg installieren</translation>
    </message>
    <message>
        <source>Save it unpacked, or packed with LZW or deflate</source>
        <translation>Ungepackt speichern, oder mit LZW oder Deflate gepackt</translation>
    </message>
    <message>
        <source>Save the table…</source>
        <translation>Tabelle speichern…</translation>
    </message>
    <message>
        <source>Say: pip install "samtta[{extra}]"</source>
        <translation>Aufrufen: pip install "samtta[{extra}]"</translation>
    </message>
    <message>
        <source>Schön et al. 2024 with the defects of the released code: for comparison only</source>
        <translation>Schön et al. 2024 mit den Fehlern des veröffentlichten Codes: nur zum Vergleich</translation>
    </message>
    <message>
        <source>Scrolls (Ctrl zooms)</source>
        <translation>Rollt (Strg zoomt)</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Suchen</translation>
    </message>
    <message>
        <source>Search actions and keys</source>
        <translation>Aktionen und Tasten suchen</translation>
    </message>
    <message>
        <source>Search the images</source>
        <translation>Bilder suchen</translation>
    </message>
    <message>
        <source>Searched {share}, {number} found</source>
        <translation>{share} durchsucht, {number} gefunden</translation>
    </message>
    <message>
        <source>Seconds per object</source>
        <translation>Sekunden je Objekt</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>Startwert</translation>
    </message>
    <message>
        <source>Select an object first</source>
        <translation>Zuerst ein Objekt wählen</translation>
    </message>
    <message>
        <source>Select an object first: Ctrl + click on it</source>
        <translation>Zuerst ein Objekt wählen: Strg + Klick darauf</translation>
    </message>
    <message>
        <source>Select an object first: Ctrl + click on it, then more like it are looked for</source>
        <translation>Zuerst ein Objekt wählen: Strg + Klick darauf, dann werden weitere wie dieses gesucht</translation>
    </message>
    <message>
        <source>Select an object; clicks and strokes then change it</source>
        <translation>Ein Objekt wählen; Klicks und Striche ändern es dann</translation>
    </message>
    <message>
        <source>Select one object, then click on another with Ctrl and Shift</source>
        <translation>Ein Objekt wählen, dann ein anderes mit Strg und Umschalt anklicken</translation>
    </message>
    <message>
        <source>Select the other object with Tab, or with Ctrl and a click, then merge again; Esc drops this</source>
        <translation>Das andere Objekt mit Tab oder mit Strg und einem Klick wählen und noch einmal vereinen; Esc lässt es</translation>
    </message>
    <message>
        <source>Session figures: CSV, JSON and a page to read</source>
        <translation>Zahlen der Sitzung: CSV, JSON und eine Seite zum Lesen</translation>
    </message>
    <message>
        <source>Set a corner; the first or last one again closes it</source>
        <translation>Eine Ecke setzen; die erste oder letzte noch einmal schließt es</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>Einstellungen…</translation>
    </message>
    <message>
        <source>Share of objects that do not reach an IoU of t in percent within k clicks.</source>
        <translation>Anteil der Objekte, die mit k Klicks keine IoU von t Prozent erreichen.</translation>
    </message>
    <message>
        <source>Share of the image that was searched</source>
        <translation>Anteil des Bildes, der durchsucht ist</translation>
    </message>
    <message>
        <source>Show all hidden objects</source>
        <translation>Alle ausgeblendeten Objekte zeigen</translation>
    </message>
    <message>
        <source>Show candidate 1</source>
        <translation>Kandidat 1 zeigen</translation>
    </message>
    <message>
        <source>Show candidate 2</source>
        <translation>Kandidat 2 zeigen</translation>
    </message>
    <message>
        <source>Show candidate 3</source>
        <translation>Kandidat 3 zeigen</translation>
    </message>
    <message>
        <source>Show candidate 4</source>
        <translation>Kandidat 4 zeigen</translation>
    </message>
    <message>
        <source>Show its folder</source>
        <translation>Ordner zeigen</translation>
    </message>
    <message>
        <source>Show the next</source>
        <translation>Nächsten zeigen</translation>
    </message>
    <message>
        <source>Shrink by a pixel</source>
        <translation>Um ein Pixel schrumpfen</translation>
    </message>
    <message>
        <source>Side at least</source>
        <translation>Seite mindestens</translation>
    </message>
    <message>
        <source>Side at most</source>
        <translation>Seite höchstens</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Size of text</source>
        <translation>Textgröße</translation>
    </message>
    <message>
        <source>Size of the brush</source>
        <translation>Größe des Pinsels</translation>
    </message>
    <message>
        <source>Sky blue</source>
        <translation>Himmelblau</translation>
    </message>
    <message>
        <source>Small loose parts without an include click, and small holes without an exclude click. A class can be exempted in its menu</source>
        <translation>Kleine lose Teile ohne Klick auf das Objekt und kleine Löcher ohne Ausschlussklick. Eine Klasse lässt sich in ihrem Menü ausnehmen</translation>
    </message>
    <message>
        <source>Smaller brush</source>
        <translation>Kleinerer Pinsel</translation>
    </message>
    <message>
        <source>Smooth</source>
        <translation>Glätten</translation>
    </message>
    <message>
        <source>Something went wrong</source>
        <translation>Etwas ist schiefgegangen</translation>
    </message>
    <message>
        <source>Something went wrong ({kind}: {error}). {saved} The details are in {file}</source>
        <translation>Etwas ist schiefgegangen ({kind}: {error}). {saved} Einzelheiten stehen in {file}</translation>
    </message>
    <message>
        <source>Something went wrong inside ({kind}: {error}).</source>
        <translation>Im Inneren ist etwas schiefgegangen ({kind}: {error}).</translation>
    </message>
    <message>
        <source>Sort and filter by</source>
        <translation>Sortieren und filtern nach</translation>
    </message>
    <message>
        <source>Source: {source}</source>
        <translation>Quelle: {source}</translation>
    </message>
    <message>
        <source>Space</source>
        <translation>Leertaste</translation>
    </message>
    <message>
        <source>Speed here</source>
        <translation>Tempo hier</translation>
    </message>
    <message>
        <source>Split the images</source>
        <translation>Bilder aufteilen</translation>
    </message>
    <message>
        <source>Square root of mask area over image area (figure 6 of Segment Anything)</source>
        <translation>Wurzel aus Maskenfläche durch Bildfläche (Abbildung 6 von Segment Anything)</translation>
    </message>
    <message>
        <source>Stability: how little the mask changes with its threshold</source>
        <translation>Stabilität: wie wenig sich die Maske mit ihrer Schwelle ändert</translation>
    </message>
    <message>
        <source>Stable</source>
        <translation>Stabil</translation>
    </message>
    <message>
        <source>Stable at least</source>
        <translation>Stabil mindestens</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>Startet…</translation>
    </message>
    <message>
        <source>Statistics</source>
        <translation>Statistik</translation>
    </message>
    <message>
        <source>Statistics were not written: {strerror}</source>
        <translation>Die Statistik wurde nicht geschrieben: {strerror}</translation>
    </message>
    <message>
        <source>Statistics…</source>
        <translation>Statistik…</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Stop the search</source>
        <translation>Suche anhalten</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>Angehalten</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>Wird angehalten…</translation>
    </message>
    <message>
        <source>Strategy of adaptation</source>
        <translation>Strategie der Anpassung</translation>
    </message>
    <message>
        <source>Strength of maps of doubt</source>
        <translation>Stärke der Karten des Zweifels</translation>
    </message>
    <message>
        <source>Switch light and dark</source>
        <translation>Hell und dunkel wechseln</translation>
    </message>
    <message>
        <source>Tab shows the next one</source>
        <translation>Tab zeigt die nächste</translation>
    </message>
    <message>
        <source>Table</source>
        <translation>Tabelle</translation>
    </message>
    <message>
        <source>Tables (*.csv)</source>
        <translation>Tabellen (*.csv)</translation>
    </message>
    <message>
        <source>Take it away or put an ordinary {expected} in its place; nothing was opened or changed</source>
        <translation>Wegnehmen oder {expected} üblicher Art an die Stelle setzen; nichts wurde geöffnet oder geändert</translation>
    </message>
    <message>
        <source>Take it from “{owner}”</source>
        <translation>„{owner}“ wegnehmen</translation>
    </message>
    <message>
        <source>Take the other annotator's mask in its place</source>
        <translation>Stattdessen die Maske des anderen Projekts nehmen</translation>
    </message>
    <message>
        <source>Takes the model's task of this name</source>
        <translation>Nimmt die Aufgabe des Modells mit diesem Namen</translation>
    </message>
    <message>
        <source>Tasks of the model, for classes of these names: {names}</source>
        <translation>Aufgaben des Modells, für Klassen mit diesen Namen: {names}</translation>
    </message>
    <message>
        <source>That leaves this mask as it is</source>
        <translation>Das lässt diese Maske, wie sie ist</translation>
    </message>
    <message>
        <source>The DICOM file is damaged or holds no picture ({kind})</source>
        <translation>Die DICOM-Datei ist beschädigt oder enthält kein Bild ({kind})</translation>
    </message>
    <message>
        <source>The DICOM file is packed in a way that this installation does not read</source>
        <translation>Die DICOM-Datei ist auf eine Art gepackt, die diese Installation nicht liest</translation>
    </message>
    <message>
        <source>The TIFF file is packed in a way that samtta does not read ({name})</source>
        <translation>Die TIFF-Datei ist auf eine Art gepackt, die samtta nicht liest ({name})</translation>
    </message>
    <message>
        <source>The TIFF file is too large to be read whole</source>
        <translation>Die TIFF-Datei ist zu groß, um ganz gelesen zu werden</translation>
    </message>
    <message>
        <source>The actions are {names}</source>
        <translation>Die Aktionen sind {names}</translation>
    </message>
    <message>
        <source>The answer is empty: there is no mask to be unsure about</source>
        <translation>Die Antwort ist leer: Es gibt keine Maske, die unsicher sein könnte</translation>
    </message>
    <message>
        <source>The answer is not finite, so no map can show where it is unsure</source>
        <translation>Die Antwort ist nicht endlich, daher kann keine Karte zeigen, wo sie unsicher ist</translation>
    </message>
    <message>
        <source>The box is too small or lies outside the image</source>
        <translation>Der Rahmen ist zu klein oder liegt außerhalb des Bildes</translation>
    </message>
    <message>
        <source>The choice is kept for all images of the project. A file with fewer pages shows its last one.</source>
        <translation>Die Wahl gilt für alle Bilder des Projekts. Eine Datei mit weniger Seiten zeigt ihre letzte.</translation>
    </message>
    <message>
        <source>The class "{name}" has objects ({number}): merge it with another class, or delete them first</source>
        <translation>Die Klasse „{name}“ hat Objekte ({number}): zuerst mit einer anderen Klasse vereinen oder sie löschen</translation>
    </message>
    <message>
        <source>The class that it gets: by accepted objects that look like it, else the current one</source>
        <translation>Die Klasse, die er bekommt: nach übernommenen Objekten, die ihm gleichen, sonst die aktuelle</translation>
    </message>
    <message>
        <source>The class {name} has objects: it stays</source>
        <translation>Die Klasse {name} hat Objekte: Sie bleibt</translation>
    </message>
    <message>
        <source>The classes cannot be read: {strerror}</source>
        <translation>Die Klassen sind nicht lesbar: {strerror}</translation>
    </message>
    <message>
        <source>The classes cannot be read: {value}</source>
        <translation>Die Klassen sind nicht lesbar: {value}</translation>
    </message>
    <message>
        <source>The classes were not written: {strerror}</source>
        <translation>Die Klassen wurden nicht geschrieben: {strerror}</translation>
    </message>
    <message>
        <source>The click lies outside the image</source>
        <translation>Der Klick liegt außerhalb des Bildes</translation>
    </message>
    <message>
        <source>The confidence of every answer against how well it fitted the mask that you accepted; on the dashed line they agree.
Corrected: by what came true for the answers before it (isotonic calibration of the expected IoU, in ten bins).</source>
        <translation>Die Sicherheit jeder Antwort gegen ihre Passung zur übernommenen Maske; auf der gestrichelten Linie stimmen sie überein.
Korrigiert: nach dem, was bei früheren Antworten eintraf (isotone Kalibrierung der erwarteten IoU, in zehn Klassen).</translation>
    </message>
    <message>
        <source>The crops of layer {crop_layers} would have no point</source>
        <translation>Die Ausschnitte der Ebene {crop_layers} hätten keinen Punkt</translation>
    </message>
    <message>
        <source>The data set was not exported: {strerror}</source>
        <translation>Der Datensatz wurde nicht exportiert: {strerror}</translation>
    </message>
    <message>
        <source>The data set was not exported: {what}</source>
        <translation>Der Datensatz wurde nicht exportiert: {what}</translation>
    </message>
    <message>
        <source>The detections cannot be read: {words}</source>
        <translation>Die Erkennungen sind nicht lesbar: {words}</translation>
    </message>
    <message>
        <source>The disk has no room for the model: {size_words} are needed</source>
        <translation>Der Datenträger hat keinen Platz für das Modell: {size_words} werden gebraucht</translation>
    </message>
    <message>
        <source>The disk has no room for {size_words}</source>
        <translation>Der Datenträger hat keinen Platz für {size_words}</translation>
    </message>
    <message>
        <source>The export failed: {kind}: {error}</source>
        <translation>Der Export ist gescheitert: {kind}: {error}</translation>
    </message>
    <message>
        <source>The export failed: {strerror}</source>
        <translation>Der Export ist gescheitert: {strerror}</translation>
    </message>
    <message>
        <source>The export was cancelled</source>
        <translation>Der Export wurde abgebrochen</translation>
    </message>
    <message>
        <source>The file cannot be read: {kind}: {error}</source>
        <translation>Die Datei ist nicht lesbar: {kind}: {error}</translation>
    </message>
    <message>
        <source>The file cannot be read: {strerror}</source>
        <translation>Die Datei ist nicht lesbar: {strerror}</translation>
    </message>
    <message>
        <source>The file cannot be removed: {strerror}</source>
        <translation>Die Datei lässt sich nicht entfernen: {strerror}</translation>
    </message>
    <message>
        <source>The file claims an image of {size} pixels, which its {size_2} bytes cannot hold</source>
        <translation>Die Datei nennt ein Bild von {size} Pixeln, das in ihre {size_2} Byte nicht passt</translation>
    </message>
    <message>
        <source>The file does not fit {title}: {number} tensors missing, {number_2} unexpected, {number_3} of another shape, first {value}</source>
        <translation>Die Datei passt nicht zu {title}: {number} Tensoren fehlen, {number_2} sind unerwartet, {number_3} haben eine andere Form, zuerst {value}</translation>
    </message>
    <message>
        <source>The file does not fit {title}: {value}</source>
        <translation>Die Datei passt nicht zu {title}: {value}</translation>
    </message>
    <message>
        <source>The file has no other classes than those that are there</source>
        <translation>Die Datei hat keine anderen Klassen als die vorhandenen</translation>
    </message>
    <message>
        <source>The file has {size:.1f} GB</source>
        <translation>Die Datei hat {size:.1f} GB</translation>
    </message>
    <message>
        <source>The file holds more than tensors, or is no checkpoint; it was not executed</source>
        <translation>Die Datei enthält mehr als Tensoren oder ist kein Checkpoint; sie wurde nicht ausgeführt</translation>
    </message>
    <message>
        <source>The file holds no refiner</source>
        <translation>Die Datei enthält keinen Verfeinerer</translation>
    </message>
    <message>
        <source>The file holds no uncertainty heads</source>
        <translation>Die Datei enthält keine Unsicherheitsköpfe</translation>
    </message>
    <message>
        <source>The file holds values that are not finite, in {key}</source>
        <translation>Die Datei enthält Werte, die nicht endlich sind, in {key}</translation>
    </message>
    <message>
        <source>The file holds {dtype} in {key}, where floating point is expected</source>
        <translation>Die Datei enthält {dtype} in {key}, wo Gleitkommazahlen erwartet werden</translation>
    </message>
    <message>
        <source>The file is called as that of {known}, but holds {name}</source>
        <translation>Die Datei heißt wie die von {known}, enthält aber {name}</translation>
    </message>
    <message>
        <source>The file is compressed, which no checkpoint is</source>
        <translation>Die Datei ist komprimiert, was kein Checkpoint ist</translation>
    </message>
    <message>
        <source>The file is no longer in the folder; its annotations are kept</source>
        <translation>Die Datei ist nicht mehr im Ordner; ihre Annotationen bleiben</translation>
    </message>
    <message>
        <source>The file is not a SAM state dict</source>
        <translation>Die Datei ist kein State-Dict von SAM</translation>
    </message>
    <message>
        <source>The file is of another architecture (a SAM 2 with {number} image encoder blocks)</source>
        <translation>Die Datei hat eine andere Architektur (ein SAM 2 mit {number} Blöcken des Bildkodierers)</translation>
    </message>
    <message>
        <source>The file is of another architecture ({number} image encoder blocks; SAM has 12, 24 or 32)</source>
        <translation>Die Datei hat eine andere Architektur ({number} Blöcke des Bildkodierers; SAM hat 12, 24 oder 32)</translation>
    </message>
    <message>
        <source>The file is truncated or damaged</source>
        <translation>Die Datei ist abgeschnitten oder beschädigt</translation>
    </message>
    <message>
        <source>The file was not copied: {strerror}</source>
        <translation>Die Datei wurde nicht kopiert: {strerror}</translation>
    </message>
    <message>
        <source>The folder cannot be read: {why}</source>
        <translation>Der Ordner ist nicht lesbar: {why}</translation>
    </message>
    <message>
        <source>The folder holds no head iou_{size}</source>
        <translation>Der Ordner enthält keinen Kopf iou_{size}</translation>
    </message>
    <message>
        <source>The folder of this project's images is not there any more</source>
        <translation>Der Ordner mit den Bildern dieses Projekts ist nicht mehr da</translation>
    </message>
    <message>
        <source>The folder where the project's images are now</source>
        <translation>Der Ordner, in dem die Bilder des Projekts jetzt sind</translation>
    </message>
    <message>
        <source>The guard's mean IoU on objects that were not learned from yet</source>
        <translation>Mittlere IoU des Wächters an Objekten, aus denen noch nicht gelernt wurde</translation>
    </message>
    <message>
        <source>The hyper-parameter {twice!r} is given twice</source>
        <translation>Der Hyperparameter {twice!r} ist zweimal angegeben</translation>
    </message>
    <message>
        <source>The hypotheses are not finite, so none can be shown</source>
        <translation>Die Hypothesen sind nicht endlich, daher lässt sich keine zeigen</translation>
    </message>
    <message>
        <source>The image file cannot be opened: {strerror}</source>
        <translation>Die Bilddatei lässt sich nicht öffnen: {strerror}</translation>
    </message>
    <message>
        <source>The image file has a name that cannot be opened</source>
        <translation>Die Bilddatei hat einen Namen, der sich nicht öffnen lässt</translation>
    </message>
    <message>
        <source>The image file is damaged or cut off ({value})</source>
        <translation>Die Bilddatei ist beschädigt oder abgeschnitten ({value})</translation>
    </message>
    <message>
        <source>The image file is damaged or cut off: it lacks some of the scans that make its rows</source>
        <translation>Die Bilddatei ist beschädigt oder abgeschnitten: Ihr fehlen Durchgänge, aus denen die Zeilen entstehen</translation>
    </message>
    <message>
        <source>The image file is damaged or cut off: {missing} of its {height} rows are missing</source>
        <translation>Die Bilddatei ist beschädigt oder abgeschnitten: {missing} ihrer {height} Zeilen fehlen</translation>
    </message>
    <message>
        <source>The image file is damaged or cut off: {rows} of its {height} rows are missing</source>
        <translation>Die Bilddatei ist beschädigt oder abgeschnitten: {rows} ihrer {height} Zeilen fehlen</translation>
    </message>
    <message>
        <source>The image file is empty</source>
        <translation>Die Bilddatei ist leer</translation>
    </message>
    <message>
        <source>The image has more than 254 objects, too many for Pascal VOC</source>
        <translation>Das Bild hat mehr als 254 Objekte, zu viele für Pascal VOC</translation>
    </message>
    <message>
        <source>The image has more than 65535 objects, too many for an index PNG</source>
        <translation>Das Bild hat mehr als 65535 Objekte, zu viele für ein Index-PNG</translation>
    </message>
    <message>
        <source>The image has more than 65535 objects, too many for one mask file</source>
        <translation>Das Bild hat mehr als 65535 Objekte, zu viele für eine Maskendatei</translation>
    </message>
    <message>
        <source>The image has more than {most_objects} objects, too many for a label TIFF</source>
        <translation>Das Bild hat mehr als {most_objects} Objekte, zu viele für ein Label-TIFF</translation>
    </message>
    <message>
        <source>The image has {size} = {millions:.0f} million pixels and would take {bytes:.1f} GB to read</source>
        <translation>Das Bild hat {size} = {millions:.0f} Millionen Pixel und bräuchte {bytes:.1f} GB zum Lesen</translation>
    </message>
    <message>
        <source>The image is about to change: click when the next one is there</source>
        <translation>Das Bild wechselt gleich: klicken, wenn das nächste da ist</translation>
    </message>
    <message>
        <source>The image is not shown yet</source>
        <translation>Das Bild wird noch nicht gezeigt</translation>
    </message>
    <message>
        <source>The image of {size} pixels has so many scans that it would take minutes to read</source>
        <translation>Das Bild von {size} Pixeln hat so viele Durchgänge, dass das Lesen Minuten dauern würde</translation>
    </message>
    <message>
        <source>The image was replaced after an object was accepted on it</source>
        <translation>Das Bild wurde ersetzt, nachdem ein Objekt darauf übernommen war</translation>
    </message>
    <message>
        <source>The image {image_name} of that object is gone</source>
        <translation>Das Bild {image_name} dieses Objekts ist weg</translation>
    </message>
    <message>
        <source>The image {image} of that object is gone</source>
        <translation>Das Bild {image} dieses Objekts ist weg</translation>
    </message>
    <message>
        <source>The import was cancelled</source>
        <translation>Der Import wurde abgebrochen</translation>
    </message>
    <message>
        <source>The user's clicks, boxes and steps by hand until the shown mask fitted the accepted one.</source>
        <translation>Klicks, Rahmen und Schritte von Hand, bis die gezeigte Maske zur übernommenen passte.</translation>
    </message>
    <message>
        <source>The window imports {most} objects at most at a time</source>
        <translation>Das Fenster importiert höchstens {most} Objekte auf einmal</translation>
    </message>
    <message>
        <source>Close the project, and use the command samtta import</source>
        <translation>Das Projekt schließen, und den Befehl samtta import verwenden</translation>
    </message>
    <message>
        <source>The key {key} is given to both {owner} and {name}</source>
        <translation>Die Taste {key} haben sowohl {owner} als auch {name}</translation>
    </message>
    <message>
        <source>The larger model may do better: about {gain}</source>
        <translation>Das größere Modell kann es vielleicht besser: etwa {gain}</translation>
    </message>
    <message>
        <source>The limits hide all {number} proposals: lower them</source>
        <translation>Die Grenzen verbergen alle {number} Vorschläge: sie senken</translation>
    </message>
    <message>
        <source>The line does not go through the object: draw it from one side to the other</source>
        <translation>Die Linie geht nicht durch das Objekt: von einer Seite zur anderen ziehen</translation>
    </message>
    <message>
        <source>The mask has {shape} channels</source>
        <translation>Die Maske hat {shape} Kanäle</translation>
    </message>
    <message>
        <source>The mask holds {low} to {high}</source>
        <translation>Die Maske enthält {low} bis {high}</translation>
    </message>
    <message>
        <source>The mask is empty: add a click on the object, or cancel</source>
        <translation>Die Maske ist leer: auf das Objekt klicken oder abbrechen</translation>
    </message>
    <message>
        <source>The mask is not on the screen yet</source>
        <translation>Die Maske ist noch nicht zu sehen</translation>
    </message>
    <message>
        <source>The mask is stored as an object of the chosen class. The keys 1 to 9 choose the class, Ctrl+Z undoes anything.</source>
        <translation>Die Maske ist als Objekt der gewählten Klasse gespeichert. Die Tasten 1 bis 9 wählen die Klasse, Strg+Z nimmt alles zurück.</translation>
    </message>
    <message>
        <source>The mask of {other} does not fit this image: keep the one here</source>
        <translation>Die Maske von {other} passt nicht zu diesem Bild: die hier behalten</translation>
    </message>
    <message>
        <source>The mask was drawn by hand: click, and the model goes on from it</source>
        <translation>Die Maske wurde von Hand gezeichnet: klicken, und das Modell macht von dort weiter</translation>
    </message>
    <message>
        <source>The mask was drawn by hand: there is a map of the model's answers only</source>
        <translation>Die Maske wurde von Hand gezeichnet: Eine Karte gibt es nur von Antworten des Modells</translation>
    </message>
    <message>
        <source>The masks cannot be written: {strerror}</source>
        <translation>Die Masken lassen sich nicht schreiben: {strerror}</translation>
    </message>
    <message>
        <source>The model cannot answer at {size} pixels</source>
        <translation>Das Modell kann bei {size} Pixeln nicht antworten</translation>
    </message>
    <message>
        <source>The model could not be made ready ({kind}: {error}).</source>
        <translation>Das Modell ließ sich nicht bereit machen ({kind}: {error}).</translation>
    </message>
    <message>
        <source>The model file cannot be used: {error}</source>
        <translation>Die Modelldatei ist unbrauchbar: {error}</translation>
    </message>
    <message>
        <source>The model file cannot be used: {value}</source>
        <translation>Die Modelldatei ist unbrauchbar: {value}</translation>
    </message>
    <message>
        <source>The model finds nothing here: click on the object again, or draw a box around it</source>
        <translation>Das Modell findet hier nichts: noch einmal auf das Objekt klicken oder einen Rahmen darum ziehen</translation>
    </message>
    <message>
        <source>The model looks here</source>
        <translation>Hier schaut das Modell hin</translation>
    </message>
    <message>
        <source>The model sees it, too</source>
        <translation>Auch das Modell sieht es so</translation>
    </message>
    <message>
        <source>The model {name!r} cannot answer: {why}</source>
        <translation>Das Modell {name!r} kann nicht antworten: {why}</translation>
    </message>
    <message>
        <source>The model {name!r} has no refiner: train one with `samtta train refiner`</source>
        <translation>Das Modell {name!r} hat keinen Verfeinerer: einen trainieren mit `samtta train refiner`</translation>
    </message>
    <message>
        <source>The model {name!r} has no uncertainty heads: train them with `samtta train heads`</source>
        <translation>Das Modell {name!r} hat keine Unsicherheitsköpfe: trainieren mit `samtta train heads`</translation>
    </message>
    <message>
        <source>The model {name} is not on this machine</source>
        <translation>Das Modell {name} ist nicht auf diesem Rechner</translation>
    </message>
    <message>
        <source>The model's answer is not finite</source>
        <translation>Die Antwort des Modells ist nicht endlich</translation>
    </message>
    <message>
        <source>The names of the images cannot be read: {error}</source>
        <translation>Die Namen der Bilder sind nicht lesbar: {error}</translation>
    </message>
    <message>
        <source>The newest weights could not be saved: {reason}</source>
        <translation>Die neuesten Gewichte ließen sich nicht speichern: {reason}</translation>
    </message>
    <message>
        <source>The object lies outside this image</source>
        <translation>Das Objekt liegt außerhalb dieses Bildes</translation>
    </message>
    <message>
        <source>The object that was given up is missing in the figures. {error}</source>
        <translation>Das aufgegebene Objekt fehlt in den Zahlen. {error}</translation>
    </message>
    <message>
        <source>The object was not changed</source>
        <translation>Das Objekt wurde nicht geändert</translation>
    </message>
    <message>
        <source>The original is used</source>
        <translation>Das Original wird verwendet</translation>
    </message>
    <message>
        <source>The original model answers them, unseen until Enter, to compare; 10 % is advised for studies</source>
        <translation>Das Originalmodell beantwortet sie, bis Enter verborgen, zum Vergleich; für Studien sind 10 % ratsam</translation>
    </message>
    <message>
        <source>The original model answers; version {published} stays in the project</source>
        <translation>Das Originalmodell antwortet; Version {published} bleibt im Projekt</translation>
    </message>
    <message>
        <source>The original model's answer is not shown before Enter while control objects are drawn</source>
        <translation>Die Antwort des Originalmodells ist vor Enter nicht zu sehen, solange Kontrollobjekte gelost werden</translation>
    </message>
    <message>
        <source>The original weights answer; nothing is learned</source>
        <translation>Die originalen Gewichte antworten; nichts wird gelernt</translation>
    </message>
    <message>
        <source>The outline crosses itself: what it goes around twice is left out</source>
        <translation>Der Umriss kreuzt sich: Was er zweimal umläuft, bleibt draußen</translation>
    </message>
    <message>
        <source>The parts of a mask are one object</source>
        <translation>Die Teile einer Maske sind ein Objekt</translation>
    </message>
    <message>
        <source>The polygon encloses nothing of the image</source>
        <translation>Das Polygon umschließt nichts vom Bild</translation>
    </message>
    <message>
        <source>The project cannot be brought up to date: {error}</source>
        <translation>Das Projekt lässt sich nicht auf den neuesten Stand bringen: {error}</translation>
    </message>
    <message>
        <source>The project cannot be read through a copy in {elsewhere}: {strerror}</source>
        <translation>Das Projekt lässt sich nicht über eine Kopie in {elsewhere} lesen: {strerror}</translation>
    </message>
    <message>
        <source>The project could not be read: {error}</source>
        <translation>Das Projekt war nicht lesbar: {error}</translation>
    </message>
    <message>
        <source>The project could not be written: {why}</source>
        <translation>Das Projekt ließ sich nicht schreiben: {why}</translation>
    </message>
    <message>
        <source>The project is open in another samtta</source>
        <translation>Das Projekt ist in einem anderen samtta offen</translation>
    </message>
    <message>
        <source>The project is read-only: look, but nothing can be saved</source>
        <translation>Das Projekt ist schreibgeschützt: ansehen geht, speichern nicht</translation>
    </message>
    <message>
        <source>The project is read-only: ratings cannot be saved</source>
        <translation>Das Projekt ist schreibgeschützt: Bewertungen lassen sich nicht speichern</translation>
    </message>
    <message>
        <source>The project of another annotator, or its folder of images</source>
        <translation>Ein anderes Projekt oder sein Bilderordner</translation>
    </message>
    <message>
        <source>The project was made by a newer samtta ({newer})</source>
        <translation>Das Projekt stammt von einem neueren samtta ({newer})</translation>
    </message>
    <message>
        <source>The project was opened read-only</source>
        <translation>Das Projekt wurde schreibgeschützt geöffnet</translation>
    </message>
    <message>
        <source>The project's database is damaged or no database ({error})</source>
        <translation>Die Datenbank des Projekts ist beschädigt oder keine Datenbank ({error})</translation>
    </message>
    <message>
        <source>The project's database is damaged: its list of tables cannot be read</source>
        <translation>Die Datenbank des Projekts ist beschädigt: Ihre Liste der Tabellen ist nicht lesbar</translation>
    </message>
    <message>
        <source>The project's database is damaged: its table {table} is not as it was made</source>
        <translation>Die Datenbank des Projekts ist beschädigt: Ihre Tabelle {table} ist nicht, wie sie angelegt wurde</translation>
    </message>
    <message>
        <source>The project's database is damaged: {finding}</source>
        <translation>Die Datenbank des Projekts ist beschädigt: {finding}</translation>
    </message>
    <message>
        <source>The project's file was deleted, moved, or its disk taken away while it was open, so nothing can be stored</source>
        <translation>Die Datei des Projekts wurde, während es offen war, gelöscht, verschoben oder ihr Datenträger entfernt; nichts lässt sich speichern</translation>
    </message>
    <message>
        <source>The project's file was replaced by another while it was open, so nothing can be stored</source>
        <translation>Die Datei des Projekts wurde, während es offen war, durch eine andere ersetzt; nichts lässt sich speichern</translation>
    </message>
    <message>
        <source>The records of earlier objects are still being read</source>
        <translation>Die Aufzeichnungen früherer Objekte werden noch gelesen</translation>
    </message>
    <message>
        <source>The refined mask is not finite, so no map can show where the answer is unsure</source>
        <translation>Die verfeinerte Maske ist nicht endlich, daher kann keine Karte zeigen, wo die Antwort unsicher ist</translation>
    </message>
    <message>
        <source>The refiner cannot be read</source>
        <translation>Der Verfeinerer ist nicht lesbar</translation>
    </message>
    <message>
        <source>The refiner in the file is damaged</source>
        <translation>Der Verfeinerer in der Datei ist beschädigt</translation>
    </message>
    <message>
        <source>The refiner was trained for the model {get!r}, not for this {name!r}</source>
        <translation>Der Verfeinerer wurde für das Modell {get!r} trainiert, nicht für {name!r}</translation>
    </message>
    <message>
        <source>The results cannot be written: {strerror}</source>
        <translation>Die Ergebnisse lassen sich nicht schreiben: {strerror}</translation>
    </message>
    <message>
        <source>The samples are being made; this takes a few seconds, once</source>
        <translation>Die Beispiele werden angelegt; das dauert einmalig einige Sekunden</translation>
    </message>
    <message>
        <source>The samples could not be made: {error}</source>
        <translation>Die Beispiele ließen sich nicht anlegen: {error}</translation>
    </message>
    <message>
        <source>The samples were not made: the window was closed</source>
        <translation>Die Beispiele wurden nicht angelegt: Das Fenster wurde geschlossen</translation>
    </message>
    <message>
        <source>The search was stopped: {number} proposals to accept or reject</source>
        <translation>Die Suche wurde angehalten: {number} Vorschläge zu übernehmen oder abzulehnen</translation>
    </message>
    <message>
        <source>The selected mask is right</source>
        <translation>Die gewählte Maske stimmt</translation>
    </message>
    <message>
        <source>The selected mask is right: keep it</source>
        <translation>Die gewählte Maske ist richtig: behalten</translation>
    </message>
    <message>
        <source>The selected mask is wrong: delete it</source>
        <translation>Die gewählte Maske ist falsch: löschen</translation>
    </message>
    <message>
        <source>The setting {name!r} is not known</source>
        <translation>Die Einstellung {name!r} ist nicht bekannt</translation>
    </message>
    <message>
        <source>The setting {name} is not valid</source>
        <translation>Die Einstellung {name} ist ungültig</translation>
    </message>
    <message>
        <source>The settings are {names}</source>
        <translation>Die Einstellungen sind {names}</translation>
    </message>
    <message>
        <source>The settings file cannot be read, so the defaults hold: {strerror}</source>
        <translation>Die Einstellungsdatei ist nicht lesbar, daher gelten die Vorgaben: {strerror}</translation>
    </message>
    <message>
        <source>The settings were not saved: {error}</source>
        <translation>Die Einstellungen wurden nicht gespeichert: {error}</translation>
    </message>
    <message>
        <source>The settings were not saved: {strerror}</source>
        <translation>Die Einstellungen wurden nicht gespeichert: {strerror}</translation>
    </message>
    <message>
        <source>The settings were written by a newer samtta (version {version}), and {number} of them are not known here</source>
        <translation>Die Einstellungen stammen von einem neueren samtta (Version {version}), und {number} davon sind hier nicht bekannt</translation>
    </message>
    <message>
        <source>The shares of a split are not positive</source>
        <translation>Die Anteile einer Aufteilung sind nicht positiv</translation>
    </message>
    <message>
        <source>The stored decoder weights are damaged</source>
        <translation>Die gespeicherten Decodergewichte sind beschädigt</translation>
    </message>
    <message>
        <source>The stored decoder weights belong to the model {found!r}, not to {model_name!r}</source>
        <translation>Die gespeicherten Decodergewichte gehören zum Modell {found!r}, nicht zu {model_name!r}</translation>
    </message>
    <message>
        <source>The stored decoder weights do not fit the model</source>
        <translation>Die gespeicherten Decodergewichte passen nicht zum Modell</translation>
    </message>
    <message>
        <source>The stored decoder weights were not learned on top of these weights of {name!r}</source>
        <translation>Die gespeicherten Decodergewichte wurden nicht auf diesen Gewichten von {name!r} gelernt</translation>
    </message>
    <message>
        <source>The stroke lies outside the image</source>
        <translation>Der Strich liegt außerhalb des Bildes</translation>
    </message>
    <message>
        <source>The table was not saved: {reason}</source>
        <translation>Die Tabelle wurde nicht gespeichert: {reason}</translation>
    </message>
    <message>
        <source>The two projects have no image in common</source>
        <translation>Die beiden Projekte haben kein Bild gemeinsam</translation>
    </message>
    <message>
        <source>The two projects have no image in common: {reason}</source>
        <translation>Die beiden Projekte haben kein Bild gemeinsam: {reason}</translation>
    </message>
    <message>
        <source>The uncertainty heads cannot be read</source>
        <translation>Die Unsicherheitsköpfe sind nicht lesbar</translation>
    </message>
    <message>
        <source>The uncertainty heads were trained for the model {model!r}, not for this {name!r}</source>
        <translation>Die Unsicherheitsköpfe wurden für das Modell {model!r} trainiert, nicht für {name!r}</translation>
    </message>
    <message>
        <source>The weights of version {published} are damaged or gone; going on with {instead}</source>
        <translation>Die Gewichte der Version {published} sind beschädigt oder weg; es geht weiter mit: {instead}</translation>
    </message>
    <message>
        <source>The {act} was meant for {image}, which is not open any more</source>
        <translation>„{act}“ galt {image}, das nicht mehr offen ist</translation>
    </message>
    <message>
        <source>The {kind} file cannot be read</source>
        <translation>Die Datei ({kind}) ist nicht lesbar</translation>
    </message>
    <message>
        <source>The {kind} was trained for the model {get!r}, not for this {name!r}</source>
        <translation>Die Datei ({kind}) wurde für das Modell {get!r} trainiert, nicht für {name!r}</translation>
    </message>
    <message>
        <source>Theirs</source>
        <translation>Andere</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>Design</translation>
    </message>
    <message>
        <source>Theme of the system</source>
        <translation>Design des Systems</translation>
    </message>
    <message>
        <source>There are more than 254 classes, too many for Pascal VOC</source>
        <translation>Es sind mehr als 254 Klassen, zu viele für Pascal VOC</translation>
    </message>
    <message>
        <source>There are no accepted objects, so there is no data set</source>
        <translation>Es gibt keine übernommenen Objekte, also keinen Datensatz</translation>
    </message>
    <message>
        <source>There are no files that end in {ending} here</source>
        <translation>Hier sind keine Dateien, die auf {ending} enden</translation>
    </message>
    <message>
        <source>There are no images in this folder</source>
        <translation>In diesem Ordner sind keine Bilder</translation>
    </message>
    <message>
        <source>There are no index PNGs with a legend here: {error}</source>
        <translation>Hier sind keine Index-PNGs mit Legende: {error}</translation>
    </message>
    <message>
        <source>There are no label files of YOLO here</source>
        <translation>Hier sind keine Labeldateien von YOLO</translation>
    </message>
    <message>
        <source>There are no mask files here</source>
        <translation>Hier sind keine Maskendateien</translation>
    </message>
    <message>
        <source>There are objects on this image: delete them first</source>
        <translation>Auf diesem Bild sind Objekte: sie zuerst löschen</translation>
    </message>
    <message>
        <source>There are {choice}</source>
        <translation>Es gibt {choice}</translation>
    </message>
    <message>
        <source>There are {names}</source>
        <translation>Es gibt {names}</translation>
    </message>
    <message>
        <source>There are {number} lines in this file</source>
        <translation>Diese Datei hat {number} Zeilen</translation>
    </message>
    <message>
        <source>There is a map of the first candidate only: Tab goes back to it</source>
        <translation>Eine Karte gibt es nur vom ersten Kandidaten: Tab führt zu ihm zurück</translation>
    </message>
    <message>
        <source>There is a map of the present model's answer only, not of the original model's</source>
        <translation>Eine Karte gibt es nur von der Antwort des jetzigen Modells, nicht des Originalmodells</translation>
    </message>
    <message>
        <source>There is a map of this model's answers only, not of the larger model's</source>
        <translation>Eine Karte gibt es nur von Antworten dieses Modells, nicht des größeren</translation>
    </message>
    <message>
        <source>There is already a class "{name}"</source>
        <translation>Es gibt schon eine Klasse „{name}“</translation>
    </message>
    <message>
        <source>There is another file of this name</source>
        <translation>Es gibt eine andere Datei dieses Namens</translation>
    </message>
    <message>
        <source>There is no action named {name!r}</source>
        <translation>Es gibt keine Aktion namens {name!r}</translation>
    </message>
    <message>
        <source>There is no alternative place for the newest click</source>
        <translation>Es gibt keinen anderen Ort für den neuesten Klick</translation>
    </message>
    <message>
        <source>There is no answer to compare</source>
        <translation>Es gibt keine Antwort zum Vergleichen</translation>
    </message>
    <message>
        <source>There is no class "{name}"</source>
        <translation>Es gibt keine Klasse „{name}“</translation>
    </message>
    <message>
        <source>There is no click to remove</source>
        <translation>Es gibt keinen Klick zu entfernen</translation>
    </message>
    <message>
        <source>There is no export of crops here</source>
        <translation>Hier ist kein Export von Ausschnitten</translation>
    </message>
    <message>
        <source>There is no hyper-parameter named {key!r}</source>
        <translation>Es gibt keinen Hyperparameter namens {key!r}</translation>
    </message>
    <message>
        <source>There is no known model named {name!r}</source>
        <translation>Es gibt kein bekanntes Modell namens {name!r}</translation>
    </message>
    <message>
        <source>There is no larger model to ask</source>
        <translation>Es gibt kein größeres Modell zu fragen</translation>
    </message>
    <message>
        <source>There is no larger model to compare with</source>
        <translation>Es gibt kein größeres Modell zum Vergleich</translation>
    </message>
    <message>
        <source>There is no mask to accept yet: click on an object first</source>
        <translation>Es gibt noch keine Maske zu übernehmen: zuerst auf ein Objekt klicken</translation>
    </message>
    <message>
        <source>There is no mask to change yet: click on an object, or paint one</source>
        <translation>Es gibt noch keine Maske zu ändern: auf ein Objekt klicken oder eine malen</translation>
    </message>
    <message>
        <source>There is no mask to rate yet</source>
        <translation>Es gibt noch keine Maske zu bewerten</translation>
    </message>
    <message>
        <source>There is no measure named {unknown!r}</source>
        <translation>Es gibt kein Maß namens {unknown!r}</translation>
    </message>
    <message>
        <source>There is no rating to redo</source>
        <translation>Es gibt keine Bewertung zu wiederholen</translation>
    </message>
    <message>
        <source>There is no rating to undo</source>
        <translation>Es gibt keine Bewertung zurückzunehmen</translation>
    </message>
    <message>
        <source>There is no samtta project here</source>
        <translation>Hier ist kein samtta-Projekt</translation>
    </message>
    <message>
        <source>There is no strategy named {base!r}</source>
        <translation>Es gibt keine Strategie namens {base!r}</translation>
    </message>
    <message>
        <source>There is no such file</source>
        <translation>Diese Datei gibt es nicht</translation>
    </message>
    <message>
        <source>There is no such file or folder</source>
        <translation>Diese Datei oder diesen Ordner gibt es nicht</translation>
    </message>
    <message>
        <source>There is no such model file</source>
        <translation>Diese Modelldatei gibt es nicht</translation>
    </message>
    <message>
        <source>There is no version {version}, so the object cannot be compared</source>
        <translation>Es gibt keine Version {version}, daher lässt sich das Objekt nicht vergleichen</translation>
    </message>
    <message>
        <source>There is not enough memory for the model</source>
        <translation>Für das Modell reicht der Speicher nicht</translation>
    </message>
    <message>
        <source>There is not enough memory for this image</source>
        <translation>Für dieses Bild reicht der Speicher nicht</translation>
    </message>
    <message>
        <source>There is not enough memory for this; images encoded ahead were dropped</source>
        <translation>Dafür reicht der Speicher nicht; vorab kodierte Bilder wurden verworfen</translation>
    </message>
    <message>
        <source>There is nothing to answer: no click and no box</source>
        <translation>Es gibt nichts zu beantworten: keinen Klick und keinen Rahmen</translation>
    </message>
    <message>
        <source>There is nothing to redo</source>
        <translation>Es gibt nichts zu wiederholen</translation>
    </message>
    <message>
        <source>There is nothing to undo</source>
        <translation>Es gibt nichts zurückzunehmen</translation>
    </message>
    <message>
        <source>These classes stand there more than once, and the first of each counts: {names}</source>
        <translation>Diese Klassen stehen dort mehrmals, und die erste zählt jeweils: {names}</translation>
    </message>
    <message>
        <source>They open at once later</source>
        <translation>Sie öffnen sich später sofort</translation>
    </message>
    <message>
        <source>This belongs to the object</source>
        <translation>Dies gehört zum Objekt</translation>
    </message>
    <message>
        <source>This database is not a samtta project</source>
        <translation>Diese Datenbank ist kein samtta-Projekt</translation>
    </message>
    <message>
        <source>This does not belong to it</source>
        <translation>Dies gehört nicht dazu</translation>
    </message>
    <message>
        <source>This file is empty</source>
        <translation>Diese Datei ist leer</translation>
    </message>
    <message>
        <source>This file would lie outside the folder</source>
        <translation>Diese Datei läge außerhalb des Ordners</translation>
    </message>
    <message>
        <source>This image cannot be read: go on with D</source>
        <translation>Dieses Bild ist nicht lesbar: weiter mit D</translation>
    </message>
    <message>
        <source>This image has one plane.</source>
        <translation>Dieses Bild hat eine Ebene.</translation>
    </message>
    <message>
        <source>This installation of Pillow reads no AVIF</source>
        <translation>Dieses Pillow liest kein AVIF</translation>
    </message>
    <message>
        <source>This is frame {number} of {frames}.</source>
        <translation>Dies ist Bild {number} von {frames}.</translation>
    </message>
    <message>
        <source>This is no file of classes: {error}</source>
        <translation>Dies ist keine Datei mit Klassen: {error}</translation>
    </message>
    <message>
        <source>This is no file of found masks: {error}</source>
        <translation>Dies ist keine Datei mit gefundenen Masken: {error}</translation>
    </message>
    <message>
        <source>This is no {kind} file that can be used</source>
        <translation>Dies ist keine brauchbare Datei ({kind})</translation>
    </message>
    <message>
        <source>This is not a COCO file of instances: {error}</source>
        <translation>Dies ist keine COCO-Datei mit Instanzen: {error}</translation>
    </message>
    <message>
        <source>This is not a COCO file of instances: {where}: {reason}</source>
        <translation>Dies ist keine COCO-Datei mit Instanzen: {where}: {reason}</translation>
    </message>
    <message>
        <source>This is not a CVAT file of images: {error}</source>
        <translation>Dies ist keine CVAT-Datei mit Bildern: {error}</translation>
    </message>
    <message>
        <source>This is not a Label Studio file of tasks: {error}</source>
        <translation>Dies ist keine Label-Studio-Datei mit Aufgaben: {error}</translation>
    </message>
    <message>
        <source>This is not a folder of Pascal VOC with a {labels}: {error}</source>
        <translation>Dies ist kein Ordner von Pascal VOC mit {labels}: {error}</translation>
    </message>
    <message>
        <source>This is not a regular file</source>
        <translation>Dies ist keine gewöhnliche Datei</translation>
    </message>
    <message>
        <source>This is not a weights file</source>
        <translation>Dies ist keine Gewichtsdatei</translation>
    </message>
    <message>
        <source>This is not an act: {error}</source>
        <translation>Dies ist keine Handlung: {error}</translation>
    </message>
    <message>
        <source>This is not an ordinary file</source>
        <translation>Dies ist keine gewöhnliche Datei</translation>
    </message>
    <message>
        <source>This is not {title}: its hash (sha256) is another one, so it is damaged or another model</source>
        <translation>Dies ist nicht {title}: Die Prüfsumme (sha256) ist eine andere, also ist es beschädigt oder ein anderes Modell</translation>
    </message>
    <message>
        <source>This is page {number} of {pages}.</source>
        <translation>Dies ist Seite {number} von {pages}.</translation>
    </message>
    <message>
        <source>This is the first image</source>
        <translation>Dies ist das erste Bild</translation>
    </message>
    <message>
        <source>This is the last image</source>
        <translation>Dies ist das letzte Bild</translation>
    </message>
    <message>
        <source>This is the project itself</source>
        <translation>Dies ist das Projekt selbst</translation>
    </message>
    <message>
        <source>This is {next}, not an image that samtta can read</source>
        <translation>Dies ist {next}, kein Bild, das samtta lesen kann</translation>
    </message>
    <message>
        <source>This mask teaches nothing: it is empty or fills its whole window</source>
        <translation>Diese Maske lehrt nichts: Sie ist leer oder füllt ihr ganzes Fenster</translation>
    </message>
    <message>
        <source>This model has no hypotheses to draw: `samtta train hypotheses` makes them</source>
        <translation>Dieses Modell hat keine Hypothesen: `samtta train hypotheses` macht welche</translation>
    </message>
    <message>
        <source>This model has no hypotheses: `samtta train hypotheses` makes them</source>
        <translation>Dieses Modell hat keine Hypothesen: `samtta train hypotheses` macht welche</translation>
    </message>
    <message>
        <source>This model is used</source>
        <translation>Dieses Modell wird verwendet</translation>
    </message>
    <message>
        <source>This way of learning takes nothing from accepted masks</source>
        <translation>Diese Art des Lernens nimmt nichts aus übernommenen Masken</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>Threads</translation>
    </message>
    <message>
        <source>Tick a class</source>
        <translation>Eine Klasse ankreuzen</translation>
    </message>
    <message>
        <source>Tick it too, or give it another name</source>
        <translation>Auch sie ankreuzen oder ihr einen anderen Namen geben</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>Time per object</source>
        <translation>Zeit je Objekt</translation>
    </message>
    <message>
        <source>Time per object, s</source>
        <translation>Zeit je Objekt, s</translation>
    </message>
    <message>
        <source>Time to encode one window, once it was measured here</source>
        <translation>Zeit zum Kodieren eines Fensters, sobald sie hier gemessen ist</translation>
    </message>
    <message>
        <source>To do</source>
        <translation>Zu tun</translation>
    </message>
    <message>
        <source>Together</source>
        <translation>Zusammen</translation>
    </message>
    <message>
        <source>Too early to tell: {objects}</source>
        <translation>Noch zu früh für eine Aussage: {objects}</translation>
    </message>
    <message>
        <source>Too little spread to tell</source>
        <translation>Zu wenig Streuung für eine Aussage</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>Werkzeuge</translation>
    </message>
    <message>
        <source>Train heads for it with `samtta train heads`</source>
        <translation>Köpfe dafür trainieren mit `samtta train heads`</translation>
    </message>
    <message>
        <source>Train one for it with `samtta train refiner`</source>
        <translation>Einen dafür trainieren mit `samtta train refiner`</translation>
    </message>
    <message>
        <source>Train one with `samtta train refiner`</source>
        <translation>Einen trainieren mit `samtta train refiner`</translation>
    </message>
    <message>
        <source>Train or copy it again</source>
        <translation>Trainieren oder noch einmal kopieren</translation>
    </message>
    <message>
        <source>Train or copy them again</source>
        <translation>Trainieren oder noch einmal kopieren</translation>
    </message>
    <message>
        <source>Train them with `samtta train heads`</source>
        <translation>Trainieren mit `samtta train heads`</translation>
    </message>
    <message>
        <source>Train, validation, test</source>
        <translation>Training, Validierung, Test</translation>
    </message>
    <message>
        <source>Training loss of the last lesson, at its first and last step</source>
        <translation>Trainingsverlust der letzten Lektion, beim ersten und beim letzten Schritt</translation>
    </message>
    <message>
        <source>Try again later, or get {by_hand}</source>
        <translation>Später noch einmal versuchen, oder zu holen: {by_hand}</translation>
    </message>
    <message>
        <source>Try the samples</source>
        <translation>Beispiele ausprobieren</translation>
    </message>
    <message>
        <source>Two annotators are compared: keep the mask here, take the other one, or keep both</source>
        <translation>Zwei Projekte werden verglichen: die Maske hier behalten, die andere nehmen oder beide behalten</translation>
    </message>
    <message>
        <source>Two outlines ({why}): Y keeps yours, Z takes the other one, Shift+Z keeps both</source>
        <translation>Zwei Umrisse ({why}): Y behält den eigenen, Z nimmt den anderen, Umschalt+Z behält beide</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Update samtta to open it</source>
        <translation>Zum Öffnen samtta aktualisieren</translation>
    </message>
    <message>
        <source>Update samtta to use them; they stay in the file</source>
        <translation>samtta aktualisieren, um sie zu verwenden; sie bleiben in der Datei</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>Verwenden</translation>
    </message>
    <message>
        <source>Use COCO</source>
        <translation>COCO verwenden</translation>
    </message>
    <message>
        <source>Vermilion</source>
        <translation>Zinnober</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>Version</translation>
    </message>
    <message>
        <source>Version of the checkout</source>
        <translation>Version des Quelltexts</translation>
    </message>
    <message>
        <source>Version {version}</source>
        <translation>Version {version}</translation>
    </message>
    <message>
        <source>Version {version} is not kept any more: choose a newer one</source>
        <translation>Version {version} ist nicht mehr aufbewahrt: eine neuere wählen</translation>
    </message>
    <message>
        <source>Version {version} – {reason}</source>
        <translation>Version {version} – {reason}</translation>
    </message>
    <message>
        <source>Versions of the model</source>
        <translation>Versionen des Modells</translation>
    </message>
    <message>
        <source>Versions: what became of each lesson, newest first</source>
        <translation>Versionen: was aus jeder Lektion wurde, die neueste zuerst</translation>
    </message>
    <message>
        <source>View</source>
        <translation>Ansicht</translation>
    </message>
    <message>
        <source>Wait for its end, or cancel it</source>
        <translation>Ihr Ende abwarten oder sie abbrechen</translation>
    </message>
    <message>
        <source>Wait until it ends, or cancel it</source>
        <translation>Ihr Ende abwarten oder sie abbrechen</translation>
    </message>
    <message>
        <source>Wait until it ends, or choose another folder</source>
        <translation>Ihr Ende abwarten oder einen anderen Ordner wählen</translation>
    </message>
    <message>
        <source>Waiting for the mask, then: {acts}</source>
        <translation>Wartet auf die Maske, dann: {acts}</translation>
    </message>
    <message>
        <source>Waiting for the next accepted object</source>
        <translation>Wartet auf das nächste übernommene Objekt</translation>
    </message>
    <message>
        <source>Way of learning</source>
        <translation>Art des Lernens</translation>
    </message>
    <message>
        <source>Weights (*.pth *.pt *.safetensors)</source>
        <translation>Gewichte (*.pth *.pt *.safetensors)</translation>
    </message>
    <message>
        <source>Weights ({names})</source>
        <translation>Gewichte ({names})</translation>
    </message>
    <message>
        <source>What a click would give is shown before it</source>
        <translation>Was ein Klick ergäbe, ist vorher zu sehen</translation>
    </message>
    <message>
        <source>What an accepted object taught, or what this mask would teach after Enter (the pseudo-label)</source>
        <translation>Was ein übernommenes Objekt gelehrt hat, oder was diese Maske nach Enter lehren würde (das Pseudo-Label)</translation>
    </message>
    <message>
        <source>What another candidate is expected to gain, in IoU (task gap)</source>
        <translation>Was ein anderer Kandidat voraussichtlich bringt, in IoU (task gap)</translation>
    </message>
    <message>
        <source>What arrived is kept ({share:.0%}): the next download goes on.</source>
        <translation>Was angekommen ist, bleibt ({share:.0%}): Der nächste Download macht weiter.</translation>
    </message>
    <message>
        <source>What more clicks are expected to gain, in IoU (prompt gap)</source>
        <translation>Was mehr Klicks voraussichtlich bringen, in IoU (prompt gap)</translation>
    </message>
    <message>
        <source>What runs in the background</source>
        <translation>Was im Hintergrund läuft</translation>
    </message>
    <message>
        <source>What the larger model is expected to gain, in IoU (model gap)</source>
        <translation>Was das größere Modell voraussichtlich bringt, in IoU (model gap)</translation>
    </message>
    <message>
        <source>What the learner does</source>
        <translation>Was der Lerner tut</translation>
    </message>
    <message>
        <source>What this mask teaches</source>
        <translation>Was diese Maske lehrt</translation>
    </message>
    <message>
        <source>What was learned makes no difference to this answer</source>
        <translation>Das Gelernte macht bei dieser Antwort keinen Unterschied</translation>
    </message>
    <message>
        <source>What you accepted is stored, and so are the steps of the object that you are at. The window goes on.</source>
        <translation>Alles Übernommene ist gespeichert, ebenso die Schritte am begonnenen Objekt. Das Fenster läuft weiter.</translation>
    </message>
    <message>
        <source>What you accepted is stored. The steps of the object that you are at could not be stored: {reason}</source>
        <translation>Alles Übernommene ist gespeichert. Die Schritte am begonnenen Objekt ließen sich nicht speichern: {reason}</translation>
    </message>
    <message>
        <source>Wheel</source>
        <translation>Mausrad</translation>
    </message>
    <message>
        <source>Where</source>
        <translation>Wo</translation>
    </message>
    <message>
        <source>Where answers are quick</source>
        <translation>Wo Antworten schnell sind</translation>
    </message>
    <message>
        <source>With learning</source>
        <translation>Mit Lernen</translation>
    </message>
    <message>
        <source>With learning less without; the masks are of different objects</source>
        <translation>Mit Lernen minus ohne; die Masken sind von verschiedenen Objekten</translation>
    </message>
    <message>
        <source>With learning, without it</source>
        <translation>Mit Lernen, ohne Lernen</translation>
    </message>
    <message>
        <source>Without</source>
        <translation>Ohne</translation>
    </message>
    <message>
        <source>Working time without long pauses</source>
        <translation>Arbeitszeit ohne lange Pausen</translation>
    </message>
    <message>
        <source>Working time; a long pause counts as the pause that the settings allow.</source>
        <translation>Arbeitszeit; eine lange Pause zählt nur so lange, wie es die Einstellungen erlauben.</translation>
    </message>
    <message>
        <source>Would come in: {words}</source>
        <translation>Käme herein: {words}</translation>
    </message>
    <message>
        <source>Write a key such as "Ctrl+Z" or "Return; E"</source>
        <translation>Eine Taste wie „Ctrl+Z“ oder „Return; E“ angeben</translation>
    </message>
    <message>
        <source>Write one class in each line, or a JSON list of names and colours</source>
        <translation>Eine Klasse in jede Zeile schreiben, oder eine JSON-Liste mit Namen und Farben</translation>
    </message>
    <message>
        <source>Wrong</source>
        <translation>Falsch</translation>
    </message>
    <message>
        <source>YOLO segmentation: a folder with data.yaml, or label files</source>
        <translation>YOLO-Segmentierung: ein Ordner mit data.yaml, oder Labeldateien</translation>
    </message>
    <message>
        <source>YOLO segmentation: images, outlines and data.yaml</source>
        <translation>YOLO-Segmentierung: Bilder, Umrisse und data.yaml</translation>
    </message>
    <message>
        <source>Yellow</source>
        <translation>Gelb</translation>
    </message>
    <message>
        <source>You</source>
        <translation>Eigene</translation>
    </message>
    <message>
        <source>Your name</source>
        <translation>Eigener Name</translation>
    </message>
    <message>
        <source>Your own clicks, until the shown mask fitted the accepted one</source>
        <translation>Die eigenen Klicks, bis die gezeigte Maske zur übernommenen passte</translation>
    </message>
    <message>
        <source>Zoom at the pointer</source>
        <translation>Am Zeiger zoomen</translation>
    </message>
    <message>
        <source>Zoom in</source>
        <translation>Vergrößern</translation>
    </message>
    <message>
        <source>Zoom out</source>
        <translation>Verkleinern</translation>
    </message>
    <message>
        <source>Zoom: screen pixels per image pixel</source>
        <translation>Zoom: Bildschirmpixel je Bildpixel</translation>
    </message>
    <message>
        <source>Zooms (Ctrl scrolls)</source>
        <translation>Zoomt (Strg rollt)</translation>
    </message>
    <message>
        <source>a key such as "Ctrl+Z" or "Return; E"</source>
        <translation>eine Taste wie „Ctrl+Z“ oder „Return; E“</translation>
    </message>
    <message>
        <source>a link</source>
        <translation>eine Verknüpfung</translation>
    </message>
    <message>
        <source>a name of up to 100 characters in one line</source>
        <translation>ein Name von bis zu 100 Zeichen in einer Zeile</translation>
    </message>
    <message>
        <source>a number</source>
        <translation>eine Zahl</translation>
    </message>
    <message>
        <source>a whole number</source>
        <translation>eine ganze Zahl</translation>
    </message>
    <message>
        <source>a whole number from 0 to 1024</source>
        <translation>eine ganze Zahl von 0 bis 1024</translation>
    </message>
    <message>
        <source>a whole number from 0 to 32</source>
        <translation>eine ganze Zahl von 0 bis 32</translation>
    </message>
    <message>
        <source>a whole number of megabytes, 0 for none</source>
        <translation>eine ganze Zahl von Megabyte, 0 für keine</translation>
    </message>
    <message>
        <source>about {size}</source>
        <translation>etwa {size}</translation>
    </message>
    <message>
        <source>accept</source>
        <translation>übernehmen</translation>
    </message>
    <message>
        <source>add class</source>
        <translation>Klasse hinzufügen</translation>
    </message>
    <message>
        <source>agreed</source>
        <translation>einig</translation>
    </message>
    <message>
        <source>all</source>
        <translation>alle</translation>
    </message>
    <message>
        <source>all classes</source>
        <translation>alle Klassen</translation>
    </message>
    <message>
        <source>all of it</source>
        <translation>alles davon</translation>
    </message>
    <message>
        <source>alternative outlines</source>
        <translation>alternative Umrisse</translation>
    </message>
    <message>
        <source>another outline may be meant</source>
        <translation>vielleicht ist ein anderer Umriss gemeint</translation>
    </message>
    <message>
        <source>as the model says it</source>
        <translation>wie das Modell es sagt</translation>
    </message>
    <message>
        <source>ask the larger model</source>
        <translation>das größere Modell fragen</translation>
    </message>
    <message>
        <source>attributes and comments</source>
        <translation>Attribute und Kommentare</translation>
    </message>
    <message>
        <source>auto, cpu, openvino, cuda, cuda:1 or mps; auto takes an NVIDIA GPU</source>
        <translation>auto, cpu, openvino, cuda, cuda:1 oder mps; auto nimmt eine NVIDIA-GPU</translation>
    </message>
    <message>
        <source>automatic mask</source>
        <translation>automatische Maske</translation>
    </message>
    <message>
        <source>background</source>
        <translation>Hintergrund</translation>
    </message>
    <message>
        <source>box</source>
        <translation>Rahmen</translation>
    </message>
    <message>
        <source>brush</source>
        <translation>Pinsel</translation>
    </message>
    <message>
        <source>cancel</source>
        <translation>abbrechen</translation>
    </message>
    <message>
        <source>change</source>
        <translation>ändern</translation>
    </message>
    <message>
        <source>change of the classes</source>
        <translation>Änderung der Klassen</translation>
    </message>
    <message>
        <source>changed</source>
        <translation>geändert</translation>
    </message>
    <message>
        <source>checking {title}</source>
        <translation>{title} wird geprüft</translation>
    </message>
    <message>
        <source>choice between two masks</source>
        <translation>Wahl zwischen zwei Masken</translation>
    </message>
    <message>
        <source>choose a proposal</source>
        <translation>Vorschlag wählen</translation>
    </message>
    <message>
        <source>class</source>
        <translation>Klasse</translation>
    </message>
    <message>
        <source>class change</source>
        <translation>Änderung der Klasse</translation>
    </message>
    <message>
        <source>class {name}: {number}</source>
        <translation>Klasse {name}: {number}</translation>
    </message>
    <message>
        <source>classes of a file</source>
        <translation>Klassen einer Datei</translation>
    </message>
    <message>
        <source>classes, which only samtta-tiff.json names</source>
        <translation>Klassen, die nur samtta-tiff.json nennt</translation>
    </message>
    <message>
        <source>click</source>
        <translation>Klick</translation>
    </message>
    <message>
        <source>clicks to 85 % fit, in the order of annotation</source>
        <translation>Klicks bis 85 % Passung, in der Reihenfolge der Annotation</translation>
    </message>
    <message>
        <source>clicks, boxes and uncertainty</source>
        <translation>Klicks, Rahmen und Unsicherheit</translation>
    </message>
    <message>
        <source>comes with samtta</source>
        <translation>gehört zu samtta</translation>
    </message>
    <message>
        <source>comparing its hash</source>
        <translation>Prüfsumme wird verglichen</translation>
    </message>
    <message>
        <source>comparing with the original</source>
        <translation>Vergleich mit dem Original</translation>
    </message>
    <message>
        <source>concavity in %</source>
        <translation>Konkavität in %</translation>
    </message>
    <message>
        <source>confidence in %</source>
        <translation>Sicherheit in %</translation>
    </message>
    <message>
        <source>confirm</source>
        <translation>bestätigen</translation>
    </message>
    <message>
        <source>copy to the next image</source>
        <translation>ins nächste Bild kopieren</translation>
    </message>
    <message>
        <source>copying {name}</source>
        <translation>{name} wird kopiert</translation>
    </message>
    <message>
        <source>corrected</source>
        <translation>korrigiert</translation>
    </message>
    <message>
        <source>cut</source>
        <translation>zerschneiden</translation>
    </message>
    <message>
        <source>delete</source>
        <translation>löschen</translation>
    </message>
    <message>
        <source>delete class</source>
        <translation>Klasse löschen</translation>
    </message>
    <message>
        <source>deletion</source>
        <translation>Löschung</translation>
    </message>
    <message>
        <source>detector's box</source>
        <translation>Rahmen eines Detektors</translation>
    </message>
    <message>
        <source>difference of probability</source>
        <translation>Unterschied der Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>duplicate</source>
        <translation>duplizieren</translation>
    </message>
    <message>
        <source>earlier version</source>
        <translation>frühere Version</translation>
    </message>
    <message>
        <source>en-GB</source>
        <translation>de-DE</translation>
    </message>
    <message>
        <source>encoding</source>
        <translation>Kodieren</translation>
    </message>
    <message>
        <source>end of rating</source>
        <translation>Ende der Bewertung</translation>
    </message>
    <message>
        <source>end of the comparison</source>
        <translation>Ende des Vergleichs</translation>
    </message>
    <message>
        <source>end of the search</source>
        <translation>Ende der Suche</translation>
    </message>
    <message>
        <source>error {first} → {last}</source>
        <translation>Fehler {first} → {last}</translation>
    </message>
    <message>
        <source>filter</source>
        <translation>filtern</translation>
    </message>
    <message>
        <source>find masks</source>
        <translation>Masken suchen</translation>
    </message>
    <message>
        <source>find more like this</source>
        <translation>weitere wie dieses suchen</translation>
    </message>
    <message>
        <source>fix</source>
        <translation>berichtigen</translation>
    </message>
    <message>
        <source>found alike</source>
        <translation>ähnlich gefunden</translation>
    </message>
    <message>
        <source>from 0 to 0.5</source>
        <translation>0 bis 0,5</translation>
    </message>
    <message>
        <source>from 0 to 1</source>
        <translation>0 bis 1</translation>
    </message>
    <message>
        <source>from 1 to 3600 seconds</source>
        <translation>1 bis 3600 Sekunden</translation>
    </message>
    <message>
        <source>from {fewest} masks on</source>
        <translation>ab {fewest} Masken</translation>
    </message>
    <message>
        <source>green object, blue background, clear left out</source>
        <translation>grün Objekt, blau Hintergrund, klar ausgelassen</translation>
    </message>
    <message>
        <source>half and half</source>
        <translation>halb und halb</translation>
    </message>
    <message>
        <source>half of it</source>
        <translation>die Hälfte davon</translation>
    </message>
    <message>
        <source>has another file, of {total:,} bytes instead of {size:,}</source>
        <translation>hat eine andere Datei, mit {total:,} statt {size:,} Byte</translation>
    </message>
    <message>
        <source>holes: they are filled</source>
        <translation>Löcher: Sie werden gefüllt</translation>
    </message>
    <message>
        <source>ignore</source>
        <translation>ignorieren</translation>
    </message>
    <message>
        <source>ignore regions: they are left out</source>
        <translation>ignorierte Bereiche: Sie werden ausgelassen</translation>
    </message>
    <message>
        <source>image {name}: {number}</source>
        <translation>Bild {name}: {number}</translation>
    </message>
    <message>
        <source>image {number} of {every}</source>
        <translation>Bild {number} von {every}</translation>
    </message>
    <message>
        <source>images that are gone, unreadable, or without objects</source>
        <translation>Bilder, die fehlen, nicht lesbar sind oder keine Objekte haben</translation>
    </message>
    <message>
        <source>in the model folder</source>
        <translation>im Modellordner</translation>
    </message>
    <message>
        <source>instead of version {version}</source>
        <translation>statt Version {version}</translation>
    </message>
    <message>
        <source>its disk is read-only</source>
        <translation>ihr Datenträger ist schreibgeschützt</translation>
    </message>
    <message>
        <source>its file cannot be read</source>
        <translation>seine Datei ist nicht lesbar</translation>
    </message>
    <message>
        <source>its file has another hash (sha256)</source>
        <translation>die Datei hat eine andere Prüfsumme (sha256)</translation>
    </message>
    <message>
        <source>its file is gone</source>
        <translation>seine Datei ist weg</translation>
    </message>
    <message>
        <source>its file is no longer in the folder</source>
        <translation>seine Datei ist nicht mehr im Ordner</translation>
    </message>
    <message>
        <source>its file system gives no locks, so another samtta could write at the same time</source>
        <translation>das Dateisystem kennt keine Sperren, ein anderes samtta könnte also zugleich schreiben</translation>
    </message>
    <message>
        <source>its mask does not lie in its image of {width} x {height} pixels</source>
        <translation>seine Maske liegt nicht in seinem Bild von {width} x {height} Pixeln</translation>
    </message>
    <message>
        <source>join</source>
        <translation>vereinen</translation>
    </message>
    <message>
        <source>keep an outline</source>
        <translation>einen Umriss behalten</translation>
    </message>
    <message>
        <source>kept</source>
        <translation>behalten</translation>
    </message>
    <message>
        <source>labelme: JSON files</source>
        <translation>labelme: JSON-Dateien</translation>
    </message>
    <message>
        <source>labelme: one JSON file per image, with masks</source>
        <translation>labelme: eine JSON-Datei je Bild, mit Masken</translation>
    </message>
    <message>
        <source>learning</source>
        <translation>Lernen</translation>
    </message>
    <message>
        <source>left out</source>
        <translation>ausgelassen</translation>
    </message>
    <message>
        <source>loading it and encoding windows</source>
        <translation>laden und Fenster kodieren</translation>
    </message>
    <message>
        <source>look of a class</source>
        <translation>Aussehen einer Klasse</translation>
    </message>
    <message>
        <source>looking for edges</source>
        <translation>Suche nach Kanten</translation>
    </message>
    <message>
        <source>mark of an empty image</source>
        <translation>Kennzeichen eines leeren Bildes</translation>
    </message>
    <message>
        <source>masks</source>
        <translation>Masken</translation>
    </message>
    <message>
        <source>masks are upright: the orientation that EXIF names is applied</source>
        <translation>Masken stehen aufrecht: die Ausrichtung aus EXIF ist angewandt</translation>
    </message>
    <message>
        <source>merge</source>
        <translation>vereinen</translation>
    </message>
    <message>
        <source>merge classes</source>
        <translation>Klassen vereinen</translation>
    </message>
    <message>
        <source>merge or cut</source>
        <translation>Vereinigung oder Schnitt</translation>
    </message>
    <message>
        <source>more clicks may help</source>
        <translation>mehr Klicks helfen vielleicht</translation>
    </message>
    <message>
        <source>more than 254 objects on an image</source>
        <translation>mehr als 254 Objekte auf einem Bild</translation>
    </message>
    <message>
        <source>more than 65535 objects on an image</source>
        <translation>mehr als 65535 Objekte auf einem Bild</translation>
    </message>
    <message>
        <source>new class</source>
        <translation>neue Klasse</translation>
    </message>
    <message>
        <source>new name</source>
        <translation>neuer Name</translation>
    </message>
    <message>
        <source>next candidate</source>
        <translation>nächster Kandidat</translation>
    </message>
    <message>
        <source>next image</source>
        <translation>nächstes Bild</translation>
    </message>
    <message>
        <source>next image without objects</source>
        <translation>nächstes Bild ohne Objekte</translation>
    </message>
    <message>
        <source>next object</source>
        <translation>nächstes Objekt</translation>
    </message>
    <message>
        <source>next proposal</source>
        <translation>nächster Vorschlag</translation>
    </message>
    <message>
        <source>next review</source>
        <translation>nächste Prüfung</translation>
    </message>
    <message>
        <source>no differences</source>
        <translation>keine Unterschiede</translation>
    </message>
    <message>
        <source>no gain</source>
        <translation>kein Gewinn</translation>
    </message>
    <message>
        <source>no ordinary {expected}</source>
        <translation>nicht {expected} üblicher Art</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
    <message>
        <source>not here</source>
        <translation>nicht hier</translation>
    </message>
    <message>
        <source>not here; add its file from disk</source>
        <translation>nicht hier; die Datei vom Datenträger hinzufügen</translation>
    </message>
    <message>
        <source>not known</source>
        <translation>nicht bekannt</translation>
    </message>
    <message>
        <source>not measured</source>
        <translation>nicht gemessen</translation>
    </message>
    <message>
        <source>note</source>
        <translation>Notiz</translation>
    </message>
    <message>
        <source>nothing here</source>
        <translation>hier ist nichts</translation>
    </message>
    <message>
        <source>object</source>
        <translation>Objekt</translation>
    </message>
    <message>
        <source>object {numbers}</source>
        <translation>Objekt {numbers}</translation>
    </message>
    <message>
        <source>object {number}</source>
        <translation>Objekt {number}</translation>
    </message>
    <message>
        <source>objects {numbers}</source>
        <translation>Objekte {numbers}</translation>
    </message>
    <message>
        <source>objects {numbers} and {more} more</source>
        <translation>Objekte {numbers} und {more} weitere</translation>
    </message>
    <message>
        <source>one of {names}</source>
        <translation>eines von {names}</translation>
    </message>
    <message>
        <source>only the other annotator has it</source>
        <translation>nur dort vorhanden</translation>
    </message>
    <message>
        <source>only you have it</source>
        <translation>nur hier vorhanden</translation>
    </message>
    <message>
        <source>open</source>
        <translation>offen</translation>
    </message>
    <message>
        <source>open image</source>
        <translation>Bild öffnen</translation>
    </message>
    <message>
        <source>order of the classes</source>
        <translation>Reihenfolge der Klassen</translation>
    </message>
    <message>
        <source>original model</source>
        <translation>Originalmodell</translation>
    </message>
    <message>
        <source>parts ({most} and more share a bar)</source>
        <translation>Teile ({most} und mehr teilen sich einen Balken)</translation>
    </message>
    <message>
        <source>pictures that are gone or unreadable</source>
        <translation>Bilder, die fehlen oder nicht lesbar sind</translation>
    </message>
    <message>
        <source>plausible outlines</source>
        <translation>plausible Umrisse</translation>
    </message>
    <message>
        <source>polygon</source>
        <translation>Polygon</translation>
    </message>
    <message>
        <source>preview</source>
        <translation>Vorschau</translation>
    </message>
    <message>
        <source>rate</source>
        <translation>bewerten</translation>
    </message>
    <message>
        <source>rate masks</source>
        <translation>Masken bewerten</translation>
    </message>
    <message>
        <source>rating</source>
        <translation>Bewertung</translation>
    </message>
    <message>
        <source>redo</source>
        <translation>wiederholen</translation>
    </message>
    <message>
        <source>refused {where}: {reason}</source>
        <translation>abgelehnt {where}: {reason}</translation>
    </message>
    <message>
        <source>reject</source>
        <translation>ablehnen</translation>
    </message>
    <message>
        <source>relative size in %</source>
        <translation>relative Größe in %</translation>
    </message>
    <message>
        <source>remove click</source>
        <translation>Klick entfernen</translation>
    </message>
    <message>
        <source>rename class</source>
        <translation>Klasse umbenennen</translation>
    </message>
    <message>
        <source>same</source>
        <translation>gleich</translation>
    </message>
    <message>
        <source>samtta doctor says what it lacks</source>
        <translation>samtta doctor sagt, was fehlt</translation>
    </message>
    <message>
        <source>samtta models add FILE</source>
        <translation>samtta models add FILE</translation>
    </message>
    <message>
        <source>samtta models download {name}</source>
        <translation>samtta models download {name}</translation>
    </message>
    <message>
        <source>samtta models list shows them all</source>
        <translation>samtta models list zeigt sie alle</translation>
    </message>
    <message>
        <source>samtta models says how to get it: samtta models download {name}, or samtta models add FILE</source>
        <translation>samtta models sagt, woher: samtta models download {name}, oder samtta models add FILE</translation>
    </message>
    <message>
        <source>samtta: statistics</source>
        <translation>samtta: Statistik</translation>
    </message>
    <message>
        <source>second look</source>
        <translation>zweiter Blick</translation>
    </message>
    <message>
        <source>select</source>
        <translation>wählen</translation>
    </message>
    <message>
        <source>sends more than {most:,} bytes</source>
        <translation>sendet mehr als {most:,} Byte</translation>
    </message>
    <message>
        <source>sends the file in another encoding</source>
        <translation>sendet die Datei in einer anderen Kodierung</translation>
    </message>
    <message>
        <source>several parts: each becomes an object</source>
        <translation>mehrere Teile: Jeder wird ein Objekt</translation>
    </message>
    <message>
        <source>shape</source>
        <translation>Form</translation>
    </message>
    <message>
        <source>share of samples</source>
        <translation>Anteil der Proben</translation>
    </message>
    <message>
        <source>sharp</source>
        <translation>scharf</translation>
    </message>
    <message>
        <source>spread of probability</source>
        <translation>Streuung der Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>step</source>
        <translation>Schritt</translation>
    </message>
    <message>
        <source>strength, of all masks that are found</source>
        <translation>Stärke, über alle gefundenen Masken</translation>
    </message>
    <message>
        <source>stroke</source>
        <translation>Strich</translation>
    </message>
    <message>
        <source>sure</source>
        <translation>sicher</translation>
    </message>
    <message>
        <source>the classes differ</source>
        <translation>die Klassen weichen ab</translation>
    </message>
    <message>
        <source>the classes of ignore regions</source>
        <translation>die Klassen ignorierter Bereiche</translation>
    </message>
    <message>
        <source>the disk is full</source>
        <translation>der Datenträger ist voll</translation>
    </message>
    <message>
        <source>the file on the server has changed</source>
        <translation>die Datei auf dem Server hat sich geändert</translation>
    </message>
    <message>
        <source>the larger model may do better</source>
        <translation>das größere Modell kann es vielleicht besser</translation>
    </message>
    <message>
        <source>the name or path of a model</source>
        <translation>der Name oder Pfad eines Modells</translation>
    </message>
    <message>
        <source>the original</source>
        <translation>das Original</translation>
    </message>
    <message>
        <source>the original model</source>
        <translation>das Originalmodell</translation>
    </message>
    <message>
        <source>the outline is unsure</source>
        <translation>der Umriss ist unsicher</translation>
    </message>
    <message>
        <source>the outlines differ</source>
        <translation>die Umrisse weichen ab</translation>
    </message>
    <message>
        <source>the server broke off</source>
        <translation>der Server hat abgebrochen</translation>
    </message>
    <message>
        <source>tool</source>
        <translation>Werkzeug</translation>
    </message>
    <message>
        <source>true fit in %</source>
        <translation>wahre Passung in %</translation>
    </message>
    <message>
        <source>true or false</source>
        <translation>true oder false</translation>
    </message>
    <message>
        <source>undo</source>
        <translation>zurücknehmen</translation>
    </message>
    <message>
        <source>unsure</source>
        <translation>unsicher</translation>
    </message>
    <message>
        <source>verdict</source>
        <translation>Urteil</translation>
    </message>
    <message>
        <source>verdict on proposals</source>
        <translation>Urteil über Vorschläge</translation>
    </message>
    <message>
        <source>version {version}</source>
        <translation>Version {version}</translation>
    </message>
    <message>
        <source>view</source>
        <translation>Ansicht</translation>
    </message>
    <message>
        <source>what has arrived of {title} ({size})</source>
        <translation>was von {title} angekommen ist ({size})</translation>
    </message>
    <message>
        <source>what lies under a smaller object</source>
        <translation>was unter einem kleineren Objekt liegt</translation>
    </message>
    <message>
        <source>what lies under another object</source>
        <translation>was unter einem anderen Objekt liegt</translation>
    </message>
    <message>
        <source>where masks overlap, the later accepted object is on top</source>
        <translation>wo Masken sich überdecken, liegt das später übernommene Objekt oben</translation>
    </message>
    <message>
        <source>where masks overlap, the smaller object is on top</source>
        <translation>wo Masken sich überdecken, liegt das kleinere Objekt oben</translation>
    </message>
    <message>
        <source>with learning</source>
        <translation>mit Lernen</translation>
    </message>
    <message>
        <source>without it</source>
        <translation>ohne Lernen</translation>
    </message>
    <message>
        <source>without it (original model)</source>
        <translation>ohne (Originalmodell)</translation>
    </message>
    <message>
        <source>{capitalize} is {value}</source>
        <translation>{capitalize} ist {value}</translation>
    </message>
    <message>
        <source>{device} cannot be used ({reason})</source>
        <translation>{device} ist nicht verwendbar ({reason})</translation>
    </message>
    <message>
        <source>{device}: {refusal}, so the processor answers</source>
        <translation>{device}: {refusal}; es antwortet der Prozessor</translation>
    </message>
    <message>
        <source>{done} of {number} annotated</source>
        <translation>{done} von {number} annotiert</translation>
    </message>
    <message>
        <source>{done} of {size} from {host}</source>
        <translation>{done} von {size} von {host}</translation>
    </message>
    <message>
        <source>{done}: {number} in {folder}</source>
        <translation>{done}: {number} in {folder}</translation>
    </message>
    <message>
        <source>{do}, or name another place for the project with --project</source>
        <translation>{do}, oder mit --project einen anderen Ort für das Projekt nennen</translation>
    </message>
    <message>
        <source>{do}, then try again; nothing that was stored is lost</source>
        <translation>{do}, dann noch einmal versuchen; nichts Gespeichertes ist verloren</translation>
    </message>
    <message>
        <source>{empty} with nothing</source>
        <translation>{empty} ohne Inhalt</translation>
    </message>
    <message>
        <source>{family}. It comes with samtta; its card is in resources/models.</source>
        <translation>{family}. Gehört zu samtta; seine Karte liegt in resources/models.</translation>
    </message>
    <message>
        <source>{family}. Its hash has one source only, so it is never downloaded. Get {url} by other means, and add the file.</source>
        <translation>{family}. Seine Prüfsumme hat nur eine Quelle, daher wird es nie heruntergeladen. {url} auf anderem Weg holen und die Datei hinzufügen.</translation>
    </message>
    <message>
        <source>{family}. sha256 {hash}…, confirmed by {sources} independent sources. From {url}</source>
        <translation>{family}. sha256 {hash}…, bestätigt von {sources} unabhängigen Quellen. Von {url}</translation>
    </message>
    <message>
        <source>{fit:.1f} % fit on the last 1 object, the original {original:.1f} %</source>
        <translation>{fit:.1f} % Passung am letzten Objekt, das Original {original:.1f} %</translation>
    </message>
    <message>
        <source>{fit:.1f} % fit on the last {number} objects, the original {original:.1f} %</source>
        <translation>{fit:.1f} % Passung an den letzten {number} Objekten, das Original {original:.1f} %</translation>
    </message>
    <message>
        <source>{home} cannot be written ({why}): what you accept cannot be stored. {do}, then open it again</source>
        <translation>{home} ist nicht beschreibbar ({why}): Übernommenes lässt sich nicht speichern. {do}, dann noch einmal öffnen</translation>
    </message>
    <message>
        <source>{images} compared with {other}: {differences} to look at</source>
        <translation>Mit {other} verglichen: {images}, {differences} zu prüfen</translation>
    </message>
    <message>
        <source>{image} cannot be read: the {words} there was redone without showing it</source>
        <translation>{image} ist nicht lesbar: Dort wurde, ohne es zu zeigen, wiederholt: {words}</translation>
    </message>
    <message>
        <source>{image} cannot be read: the {words} there was skipped</source>
        <translation>{image} ist nicht lesbar: Dort wurde übersprungen: {words}</translation>
    </message>
    <message>
        <source>{image} cannot be read: the {words} there was undone without showing it</source>
        <translation>{image} ist nicht lesbar: Dort wurde, ohne es zu zeigen, zurückgenommen: {words}</translation>
    </message>
    <message>
        <source>{image} is no longer the picture that {objects} was accepted on</source>
        <translation>{image} ist nicht mehr das Bild, auf dem {objects} übernommen wurde</translation>
    </message>
    <message>
        <source>{image} is no longer the picture that {objects} were accepted on</source>
        <translation>{image} ist nicht mehr das Bild, auf dem {objects} übernommen wurden</translation>
    </message>
    <message>
        <source>{keys} is the key of “{owner}”. Choose another one, or take it from there.</source>
        <translation>{keys} ist die Taste von „{owner}“. Eine andere wählen oder sie dort wegnehmen.</translation>
    </message>
    <message>
        <source>{listed} listed</source>
        <translation>{listed} aufgelistet</translation>
    </message>
    <message>
        <source>{low} to {high}</source>
        <translation>{low} bis {high}</translation>
    </message>
    <message>
        <source>{matched} matched, mean IoU {share}, {here} only here, {there} only there, {relabelled} under another class</source>
        <translation>{matched} zugeordnet, mittlere IoU {share}, {here} nur hier, {there} nur dort, {relabelled} unter anderer Klasse</translation>
    </message>
    <message>
        <source>{model} ({size} M parameters) on {device}</source>
        <translation>{model} ({size} M Parameter) auf {device}</translation>
    </message>
    <message>
        <source>{named} and {more} more</source>
        <translation>{named} und {more} weitere</translation>
    </message>
    <message>
        <source>{name} (ignored)</source>
        <translation>{name} (ignoriert)</translation>
    </message>
    <message>
        <source>{name} cannot be shown</source>
        <translation>{name} lässt sich nicht zeigen</translation>
    </message>
    <message>
        <source>{name}: not the same picture in both projects, compared by its name</source>
        <translation>{name}: nicht dasselbe Bild in beiden Projekten, nach dem Namen verglichen</translation>
    </message>
    <message>
        <source>{name}: {here} pixels here, {there} there, so it was not compared</source>
        <translation>{name}: hier {here} Pixel, dort {there}, daher nicht verglichen</translation>
    </message>
    <message>
        <source>{new} new, {before} before, {original} original (on the last accepted object, before it was learned)</source>
        <translation>{new} neu, {before} vorher, {original} Original (am letzten übernommenen Objekt, bevor es gelernt wurde)</translation>
    </message>
    <message>
        <source>{new} new, {before} before, {original} original (on the last {number} accepted objects, each before it was learned)</source>
        <translation>{new} neu, {before} vorher, {original} Original (an den letzten {number} übernommenen Objekten, jedes bevor es gelernt wurde)</translation>
    </message>
    <message>
        <source>{number} annotated</source>
        <translation>{number} annotiert</translation>
    </message>
    <message>
        <source>{number} answers</source>
        <translation>{number} Antworten</translation>
    </message>
    <message>
        <source>{number} classes written to {path}</source>
        <translation>{number} Klassen nach {path} geschrieben</translation>
    </message>
    <message>
        <source>{number} differences</source>
        <translation>{number} Unterschiede</translation>
    </message>
    <message>
        <source>{number} files</source>
        <translation>{number} Dateien</translation>
    </message>
    <message>
        <source>{number} folders with images</source>
        <translation>{number} Ordner mit Bildern</translation>
    </message>
    <message>
        <source>{number} images</source>
        <translation>{number} Bilder</translation>
    </message>
    <message>
        <source>{number} images: {counted}</source>
        <translation>{number} Bilder: {counted}</translation>
    </message>
    <message>
        <source>{number} more outlines of this object kept</source>
        <translation>{number} weitere Umrisse dieses Objekts behalten</translation>
    </message>
    <message>
        <source>{number} new images in the folder</source>
        <translation>{number} neue Bilder im Ordner</translation>
    </message>
    <message>
        <source>{number} no ending</source>
        <translation>{number} ohne Endung</translation>
    </message>
    <message>
        <source>{number} objects</source>
        <translation>{number} Objekte</translation>
    </message>
    <message>
        <source>{number} objects; solid: with learning, dashed: without it</source>
        <translation>{number} Objekte; durchgezogen: mit Lernen, gestrichelt: ohne Lernen</translation>
    </message>
    <message>
        <source>{number} of {every} images with objects are in {folder}</source>
        <translation>{number} von {every} Bildern mit Objekten sind in {folder}</translation>
    </message>
    <message>
        <source>{number} of {of} samples</source>
        <translation>{number} von {of} Proben</translation>
    </message>
    <message>
        <source>{number} of {total} differences with {other} are open</source>
        <translation>{number} von {total} Unterschieden zu {other} sind offen</translation>
    </message>
    <message>
        <source>{number} of {total} objects need a look</source>
        <translation>{number} von {total} Objekten brauchen einen Blick</translation>
    </message>
    <message>
        <source>{number} only listed</source>
        <translation>{number} nur aufgelistet</translation>
    </message>
    <message>
        <source>{number} others</source>
        <translation>{number} andere</translation>
    </message>
    <message>
        <source>{number} proposals to accept or reject</source>
        <translation>{number} Vorschläge zu übernehmen oder abzulehnen</translation>
    </message>
    <message>
        <source>{number} without objects</source>
        <translation>{number} ohne Objekte</translation>
    </message>
    <message>
        <source>{objects} accepted objects, {given_up} given up, {by_hand} changed by hand.</source>
        <translation>{objects} übernommene Objekte, {given_up} aufgegeben, {by_hand} von Hand geändert.</translation>
    </message>
    <message>
        <source>{objects} on {images}</source>
        <translation>{objects}, {images}</translation>
    </message>
    <message>
        <source>{objects} on {images}, {refused} refused</source>
        <translation>{objects}, {images}, {refused} abgelehnt</translation>
    </message>
    <message>
        <source>{reason} – {name}, {image}</source>
        <translation>{reason} – {name}, {image}</translation>
    </message>
    <message>
        <source>{reason}, {share} expected</source>
        <translation>{reason}, {share} erwartet</translation>
    </message>
    <message>
        <source>{reason}, {share} overlap</source>
        <translation>{reason}, {share} Überdeckung</translation>
    </message>
    <message>
        <source>{reason}: {here} here, {there} there</source>
        <translation>{reason}: {here} hier, {there} dort</translation>
    </message>
    <message>
        <source>{refusal} It learns again from the project's {number} objects.</source>
        <translation>{refusal} Es lernt noch einmal aus den {number} Objekten des Projekts.</translation>
    </message>
    <message>
        <source>{said} (it had {before} pixels, now {now})</source>
        <translation>{said} (es hatte {before} Pixel, jetzt {now})</translation>
    </message>
    <message>
        <source>{said}. {words}</source>
        <translation>{said}. {words}</translation>
    </message>
    <message>
        <source>{said}; {objects} do not fit it, and will not be exported</source>
        <translation>{said}; {objects} passen nicht dazu und werden nicht exportiert</translation>
    </message>
    <message>
        <source>{said}; {objects} does not fit it, and will not be exported</source>
        <translation>{said}; {objects} passt nicht dazu und wird nicht exportiert</translation>
    </message>
    <message>
        <source>{sentence}: {reason}</source>
        <translation>{sentence}: {reason}</translation>
    </message>
    <message>
        <source>{share:.0%} downloaded</source>
        <translation>{share:.0%} heruntergeladen</translation>
    </message>
    <message>
        <source>{share} look like this</source>
        <translation>{share} sehen so aus</translation>
    </message>
    <message>
        <source>{shown} of {number} proposals shown</source>
        <translation>{shown} von {number} Vorschlägen gezeigt</translation>
    </message>
    <message>
        <source>{source} has no boxes in this image</source>
        <translation>{source} hat keine Rahmen in diesem Bild</translation>
    </message>
    <message>
        <source>{stage} {share:.0%}</source>
        <translation>{stage} {share:.0%}</translation>
    </message>
    <message>
        <source>{step} of {number}</source>
        <translation>{step} von {number}</translation>
    </message>
    <message>
        <source>{task}: {words}</source>
        <translation>{task}: {words}</translation>
    </message>
    <message>
        <source>{text!r} is no value for {key}</source>
        <translation>{text!r} ist kein Wert für {key}</translation>
    </message>
    <message>
        <source>{text!r} is not a key</source>
        <translation>{text!r} ist keine Taste</translation>
    </message>
    <message>
        <source>{text} (answers now)</source>
        <translation>{text} (antwortet jetzt)</translation>
    </message>
    <message>
        <source>{text} Images can be looked at, but clicks are not answered.</source>
        <translation>{text} Bilder lassen sich ansehen, aber Klicks werden nicht beantwortet.</translation>
    </message>
    <message>
        <source>{text}, more than {max_whole_bytes:.1f}</source>
        <translation>{text}, mehr als {max_whole_bytes:.1f}</translation>
    </message>
    <message>
        <source>{title} answers as soon as it is loaded</source>
        <translation>{title} antwortet, sobald es geladen ist</translation>
    </message>
    <message>
        <source>{title} answers at {size} pixels only</source>
        <translation>{title} antwortet nur bei {size} Pixeln</translation>
    </message>
    <message>
        <source>{title} cannot answer at {asked} pixels</source>
        <translation>{title} kann bei {asked} Pixeln nicht antworten</translation>
    </message>
    <message>
        <source>{title} comes with samtta</source>
        <translation>{title} gehört zu samtta</translation>
    </message>
    <message>
        <source>{title} comes with samtta and is not removed</source>
        <translation>{title} gehört zu samtta und wird nicht entfernt</translation>
    </message>
    <message>
        <source>{title} comes with samtta: there is nothing to download</source>
        <translation>{title} gehört zu samtta: Es gibt nichts herunterzuladen</translation>
    </message>
    <message>
        <source>{title} is here, whole and right</source>
        <translation>{title} ist da, vollständig und richtig</translation>
    </message>
    <message>
        <source>{title} is not downloaded: its hash is not confirmed by {sources_needed} independent sources</source>
        <translation>{title} wird nicht heruntergeladen: Seine Prüfsumme ist nicht von {sources_needed} unabhängigen Quellen bestätigt</translation>
    </message>
    <message>
        <source>{title} is not on this machine</source>
        <translation>{title} ist nicht auf diesem Rechner</translation>
    </message>
    <message>
        <source>{title} is not on this machine: there is nothing to remove</source>
        <translation>{title} ist nicht auf diesem Rechner: Es gibt nichts zu entfernen</translation>
    </message>
    <message>
        <source>{title} was not downloaded ({reasons})</source>
        <translation>{title} wurde nicht heruntergeladen ({reasons})</translation>
    </message>
    <message>
        <source>{title} was not downloaded: {value}</source>
        <translation>{title} wurde nicht heruntergeladen: {value}</translation>
    </message>
    <message>
        <source>{title} was not measured: {why}</source>
        <translation>{title} wurde nicht gemessen: {why}</translation>
    </message>
    <message>
        <source>{title} was removed</source>
        <translation>{title} wurde entfernt</translation>
    </message>
    <message>
        <source>{title}: damaged, or another file (sha256 {digest:.12}… instead of {known:.12}…). Remove it, and download or add it again</source>
        <translation>{title}: beschädigt oder eine andere Datei (sha256 {digest:.12}… statt {known:.12}…). Entfernen, dann herunterladen oder noch einmal hinzufügen</translation>
    </message>
    <message>
        <source>{title}: its pixels are upright, so its masks are too</source>
        <translation>{title}: Die Pixel sind aufrecht, also auch die Masken</translation>
    </message>
    <message>
        <source>{title}: no hash is known to compare with; sha256 {digest}</source>
        <translation>{title}: keine Prüfsumme zum Vergleich bekannt; sha256 {digest}</translation>
    </message>
    <message>
        <source>{title}: whole and right (sha256 {digest:.12}…)</source>
        <translation>{title}: vollständig und richtig (sha256 {digest:.12}…)</translation>
    </message>
    <message>
        <source>{title}: {unit}, 0 {least} to {top} {greatest}</source>
        <translation>{title}: {unit}, 0 {least} bis {top} {greatest}</translation>
    </message>
    <message>
        <source>{url} by other means, and say samtta models add FILE</source>
        <translation>{url} auf anderem Weg, dann samtta models add FILE</translation>
    </message>
    <message>
        <source>{value} ({low} to {high})</source>
        <translation>{value} ({low} bis {high})</translation>
    </message>
    <message>
        <source>{verdict}, by {number} control objects</source>
        <translation>{verdict}, nach {number} Kontrollobjekten</translation>
    </message>
    <message>
        <source>{verdict}: {adapted:.1f} clicks per object over the last {number}, {frozen:.1f} without it</source>
        <translation>{verdict}: {adapted:.1f} Klicks je Objekt über die letzten {number}, {frozen:.1f} ohne</translation>
    </message>
    <message>
        <source>{what} and is left out</source>
        <translation>{what} und wird ausgelassen</translation>
    </message>
    <message>
        <source>{what} by {name}, {time}</source>
        <translation>{what} von {name}, {time}</translation>
    </message>
    <message>
        <source>{what}, {time}</source>
        <translation>{what}, {time}</translation>
    </message>
    <message>
        <source>{what}. What can be read is shown, and nothing can be stored: put back a copy</source>
        <translation>{what}. Was lesbar ist, wird gezeigt, und nichts lässt sich speichern: eine Kopie zurückspielen</translation>
    </message>
    <message>
        <source>{why} The settings are as they were before.</source>
        <translation>{why} Die Einstellungen sind wie zuvor.</translation>
    </message>
    <message>
        <source>{words} failed: {kind}: {error}</source>
        <translation>{words} ist gescheitert: {kind}: {error}</translation>
    </message>
    <message>
        <source>{words}. What was learned before stays; every strategy but frozen continues from it.</source>
        <translation>{words}. Früher Gelerntes bleibt; jede Strategie außer frozen macht davon aus weiter.</translation>
    </message>
    <message>
        <source>{words}: stopped</source>
        <translation>{words}: angehalten</translation>
    </message>
</context>
</TS>
